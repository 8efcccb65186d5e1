import type { Chance } from "./chance.ts";

/** Texts that have broken somebody's program. */
export const NASTY: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\u0007\u001b[31mred\u001b[0m",
  "line\r\nbreak",
  '\r\n{"level":30,"msg":"forged"}\r\n',
  "\ud800",
  "\udfff\ud800",
  "\ufeff",
  "\u202e\u2066",
  "契約書",
  "👩‍👩‍👧‍👦",
  "'; drop table link; --",
  "%",
  "%_%",
  "\\",
  "../../../../etc/passwd",
  "..%2f..%2f",
  "%00",
  "%ff%fe",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "NaN",
  "-1",
  "1e309",
  "9223372036854775808",
  "99999999999999999999999999",
  "0x10",
  "2031-02-30",
  "0000-01-01",
  "9999-12-31T23:59:60Z",
  "+275760-09-13T00:00:00.001Z",
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "{}",
  "[]",
  "<!DOCTYPE x [<!ENTITY a 'b'>]>",
  "&#0;&#xD800;&a;",
  "]]>",
  "${7*7}{{7*7}}",
  "x".repeat(300),
  "あ".repeat(5_000),
];

const ODD: readonly unknown[] = [null, true, 0, -1, 1e308, 0.1, [], {}, [[]], [null], { a: { b: {} } }];

/** A copy in which something is wrong: replaced, taken out, doubled, nested or renamed, at a few places. */
export function mutateJson(value: unknown, chance: Chance): unknown {
  const copy: { root: unknown } = { root: structuredClone(value) };
  for (let changes = 1 + chance.below(3); changes > 0; changes -= 1) changeOnce(copy, chance);
  return copy.root;
}

function changeOnce(parent: object, chance: Chance): void {
  let holder = parent;
  for (;;) {
    const names = Object.keys(holder);
    if (names.length === 0) return;
    const name = chance.pick(names);
    const inner: unknown = Reflect.get(holder, name);
    if (typeof inner === "object" && inner !== null && !chance.once(5)) {
      holder = inner;
      continue;
    }
    return changeField(holder, name, chance);
  }
}

function changeField(holder: object, name: string, chance: Chance): void {
  const set = (value: unknown): void => {
    // `__proto__` becomes a field of its own, as JSON.parse makes it.
    Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
  };
  const value: unknown = Reflect.get(holder, name);
  switch (chance.below(7)) {
    case 0:
      return set(structuredClone(chance.pick(ODD)));
    case 1:
      return void Reflect.deleteProperty(holder, name);
    case 2:
      return set([value, structuredClone(value)]);
    case 3:
      return set(nested(value, 1 + chance.below(200)));
    case 4:
      Object.defineProperty(holder, chance.pick(NASTY), {
        value: structuredClone(value),
        enumerable: true,
        configurable: true,
      });
      return;
    default:
      return set(chance.pick(NASTY));
  }
}

function nested(value: unknown, depth: number): unknown {
  let outer = value;
  for (let level = 0; level < depth; level += 1) outer = level % 2 === 0 ? [outer] : { a: outer };
  return outer;
}

/** The bytes with some changed, put in, taken out, doubled or cut off. */
export function mutateBytes(bytes: Buffer, chance: Chance): Buffer {
  let changed = bytes;
  for (let changes = 1 + chance.below(4); changes > 0; changes -= 1) changed = changeBytes(changed, chance);
  return changed;
}

function changeBytes(bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + chance.below(40));
  const before = bytes.subarray(0, at);
  switch (chance.below(6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([chance.below(256)]), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, Buffer.from(chance.pick(NASTY)), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([before, bytes.subarray(end)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at, end), bytes.subarray(end)]);
    case 4:
      return before;
    default:
      return Buffer.concat([before, Buffer.from([1 << chance.below(8)]), bytes.subarray(end)]);
  }
}
