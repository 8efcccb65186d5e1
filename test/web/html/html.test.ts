import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../../src/web/html/html.ts";

test("markup in a value is escaped", () => {
  const name = `<script>alert("x" + 'y')</script> & more`;

  const page = html`<p>${name}</p>`;

  assert.equal(
    page.toString(),
    "<p>&#60;script&#62;alert(&#34;x&#34; + &#39;y&#39;)&#60;/script&#62; &#38; more</p>",
  );
});

test("a value cannot break out of its attribute, whichever quotes surround it", () => {
  const value = `" onfocus="alert(1)' autofocus='\``;

  const page = html`<input value="${value}"><input value='${value}'>`.toString();

  assert.equal(page.match(/"/g)?.length, 2);
  assert.equal(page.match(/'/g)?.length, 2);
  assert.ok(!page.includes("`"));
});

test("page fragments are inserted unescaped, alone and in arrays", () => {
  const items = ["a & b", "c"].map((text) => html`<li>${text}</li>`);

  const page = html`<ul>${items}</ul>${html`<hr>`}`;

  assert.equal(page.toString(), "<ul><li>a &#38; b</li><li>c</li></ul><hr>");
});

test("strings in arrays are escaped too, at any depth", () => {
  const page = html`${["<", [">", ["&"]]]}`;

  assert.equal(page.toString(), "&#60;&#62;&#38;");
});

test("null, undefined and false render nothing, zero renders as a number", () => {
  const page = html`[${null}${undefined}${false}${0}]`;

  assert.equal(page.toString(), "[0]");
});

test("backslashes in the template are kept", () => {
  assert.equal(html`a\nb`.toString(), "a\nb");
});
