type Content = Html | string | number | null | undefined | false | readonly Content[];

/** A piece of a page in which everything from outside is escaped; only `html` makes one. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static fromTemplate(literals: TemplateStringsArray, values: readonly Content[]): Html {
    return new Html(String.raw({ raw: literals }, ...values.map(render)));
  }

  toString(): string {
    return this.#text;
  }
}

/**
 * A piece of a page. Every value that is not itself `Html` is escaped, arrays are joined, and null, undefined and
 * false leave nothing. Attribute values have to stand in quotes; an address from outside has to be checked before
 * it becomes a `href`, since escaping does not take `javascript:` away.
 */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Html {
  return Html.fromTemplate(literals, values);
}

function render(value: Content): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "string" || typeof value === "number") return escape(String(value));
  return value.map(render).join("");
}

function escape(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
