/**
 * A test can only object to a mutant that makes a difference in it: `true` for what is true is none. While tests are
 * measured, what a mutant would come to is worked out beside what the program comes to, wherever that does nothing else.
 */
import { type PluginObject, transformSync, types } from "@babel/core";

/** Calls `come` for each mutant that comes to something else here, and gives back what the program comes to. */
export type TellApart = <T>(original: T, mutants: readonly Alternative[]) => T;

/** A mutant, and what it comes to; null where that cannot be worked out without doing it. */
type Alternative = readonly [id: string, value: (() => unknown) | null];

const NAME = "tellMutantsApart";

/** Makes what instrumented sources call, for all of this process. */
export function provideTellApart(come: (id: string) => void): void {
  const tellApart: TellApart = (original, mutants) => {
    for (const [id, value] of mutants) {
      if (value === null || isOther(original, value)) come(id);
    }
    return original;
  };
  Reflect.set(globalThis, NAME, tellApart);
}

function isOther(original: unknown, value: () => unknown): boolean {
  try {
    return !Object.is(original, value());
  } catch {
    return true;
  }
}

/** A source as Stryker has made it, TypeScript still, that tells its mutants apart instead of merely coming by them. */
export function instrument(source: string): string {
  const made = transformSync(source, {
    configFile: false,
    babelrc: false,
    parserOpts: { plugins: ["typescript"], sourceType: "module" },
    plugins: [() => plugin],
  });
  if (typeof made?.code !== "string") throw new Error("a source of which nothing is left");
  return made.code;
}

const plugin: PluginObject = {
  visitor: {
    ConditionalExpression(path) {
      const chain = readChain(path.node);
      if (chain !== null) path.replaceWith(tellingApart(chain));
    },
    // A word that is compared makes a difference where the comparison comes out otherwise.
    BinaryExpression(path) {
      const { operator, left, right } = path.node;
      const chain = readChain(right);
      if (chain === null || types.isPrivate(left) || !doesNothing(left)) return;
      const compare = (one: Expression): Expression =>
        types.binaryExpression(operator, types.cloneNode(left), one);
      const mutants = chain.mutants.map(([id, value]): Mutant => [id, compare(value)]);
      path.replaceWith(tellingApart({ original: compare(chain.original), mutants }));
    },
  },
};

function tellingApart({ original, mutants }: Chain): Expression {
  const alternatives = mutants.map(([id, value]) =>
    types.arrayExpression([
      types.stringLiteral(id),
      isComparable(value, original) ? types.arrowFunctionExpression([], value) : types.nullLiteral(),
    ]),
  );
  return types.callExpression(types.identifier(NAME), [original, types.arrayExpression(alternatives)]);
}

type Expression = types.Expression;
type Mutant = readonly [id: string, value: Expression];
type Chain = { readonly mutants: readonly Mutant[]; readonly original: Expression };

/** `is("1") ? one : is("2") ? other : (cover("1", "2"), original)`, as Stryker writes it; null for anything else. */
function readChain(node: Expression): Chain | null {
  const mutants: Mutant[] = [];
  let rest = node;
  while (rest.type === "ConditionalExpression") {
    const id = idOf(rest.test);
    if (id === null) return null;
    mutants.push([id, rest.consequent]);
    rest = rest.alternate;
  }
  if (mutants.length === 0 || rest.type !== "SequenceExpression") return null;
  const original = rest.expressions[1];
  return original === undefined ? null : { mutants, original };
}

function idOf(test: Expression): string | null {
  if (!types.isCallExpression(test) || !ofStryker(test)) return null;
  const [id] = test.arguments;
  return id?.type === "StringLiteral" ? id.value : null;
}

/** Asks whether a mutant is on, or covers some. */
function ofStryker({ callee }: types.CallExpression): boolean {
  return callee.type === "Identifier" && /^stry(MutAct|Cov)_/.test(callee.name);
}

/** After an original that does something, only what does not depend on that can be worked out. */
function isComparable(value: Expression, original: Expression): boolean {
  return types.isLiteral(value) || (doesNothing(value) && doesNothing(original));
}

/** Kinds of expressions whose parts are all that may do something. */
const QUIET = new Set([
  "Identifier",
  "ThisExpression",
  "MemberExpression",
  "OptionalMemberExpression",
  "LogicalExpression",
  "BinaryExpression",
  "UnaryExpression",
  "ConditionalExpression",
  "TemplateLiteral",
  "TemplateElement",
  "ParenthesizedExpression",
  "SequenceExpression",
  "TSNonNullExpression",
  "StringLiteral",
  "NumericLiteral",
  "BooleanLiteral",
  "NullLiteral",
  "RegExpLiteral",
  "ArrayExpression",
  "ObjectExpression",
]);

function doesNothing(value: Expression): boolean {
  let quiet = true;
  types.traverseFast(value, (node) => {
    if (types.isCallExpression(node) && ofStryker(node)) return;
    if (!QUIET.has(node.type)) quiet = false;
  });
  return quiet;
}
