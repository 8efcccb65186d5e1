type Content = Html | string | number | null | undefined | false | readonly Content[];

/** An escaped piece of a page. Only `html` creates one. */
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
 * Builds a piece of a page. Escapes every value that is not `Html`, joins arrays, and renders null, undefined and false
 * as nothing. Attribute values must be quoted. Check addresses from outside before they become a `href`: escaping does
 * not remove `javascript:`.
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
