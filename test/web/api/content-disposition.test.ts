import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentDisposition } from "../../../src/web/api/content-disposition.ts";

/** Parses a header like a client: returns the plain name, and the UTF-8 name that takes precedence. */
function read(header: string): { plain: string; name: string } {
  const parts = /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''([!#$&+\-.^_`|~0-9A-Za-z%]*)$/.exec(
    header,
  );
  assert.ok(parts !== null, header);
  return { plain: parts[1] ?? "", name: decodeURIComponent(parts[2] ?? "") };
}

function saved(fileName: string): string {
  return read(contentDisposition(fileName)).name;
}

test("a Japanese name is sent in UTF-8, and in ASCII for old clients", () => {
  assert.equal(
    contentDisposition("契約書 1.pdf"),
    "attachment; filename=\"___ 1.pdf\"; filename*=UTF-8''%E5%A5%91%E7%B4%84%E6%9B%B8%201.pdf",
  );
});

test("characters that the extended form does not allow are percent-encoded in uppercase", () => {
  assert.equal(contentDisposition("*.pdf"), "attachment; filename=\"*.pdf\"; filename*=UTF-8''%2A.pdf");
});

const hostile = [
  { what: "slashes", fileName: "../../etc/passwd.pdf", name: ".._.._etc_passwd.pdf" },
  { what: "backslashes", fileName: "C:\\temp\\a.pdf", name: "C:_temp_a.pdf" },
  { what: "NUL", fileName: "a\0b.pdf", name: "ab.pdf" },
  {
    what: "line breaks",
    fileName: "a\r\nSet-Cookie: b=c\u2028\u2029\u0085.pdf",
    name: "aSet-Cookie: b=c.pdf",
  },
  {
    what: "bidirectional control characters",
    fileName: "a\u202Efdp.exe\u2066\u200F.pdf",
    name: "afdp.exe.pdf",
  },
  { what: "half a surrogate pair", fileName: "a\uD83D.pdf", name: "a\uFFFD.pdf" },
  { what: "nothing but an extension", fileName: ".pdf", name: "document.pdf" },
  { what: "no characters", fileName: "", name: "document" },
  { what: "only spaces", fileName: "  .PDF", name: "document.PDF" },
  { what: "only control characters", fileName: "\u0001\u200E", name: "document" },
];

for (const { what, fileName, name } of hostile) {
  test(`a name with ${what} is made safe`, () => {
    assert.equal(saved(fileName), name);
  });
}

test("quotes, backslashes and percent signs do not break the plain name", () => {
  const { plain, name } = read(contentDisposition(`"50%25" 'a'\\(b)*.pdf`));

  assert.equal(plain, "_50_25_ 'a'_(b)*.pdf");
  assert.equal(name, `"50%25" 'a'_(b)*.pdf`);
});

test("each non-ASCII character becomes one character of the plain name", () => {
  assert.equal(read(contentDisposition("é😀.pdf")).plain, "__.pdf");
});

test("a name of 300 characters is cut to 255 bytes and keeps its extension", () => {
  const name = saved(`${"契".repeat(300)}.pdf`);

  assert.equal(name, `${"契".repeat(83)}.pdf`);
  assert.equal(saved(`${"a".repeat(300)}.PDF`), `${"a".repeat(251)}.PDF`);
  assert.equal(saved("a".repeat(300)), "a".repeat(255));
});

test("a name is not cut within a grapheme", () => {
  const family = "👨‍👩‍👧‍👦";

  const name = saved(`${"a".repeat(240)}${family}.pdf`);

  assert.equal(name, `${"a".repeat(240)}.pdf`);
});

test("a name of exactly 255 bytes is not cut", () => {
  const name = `${"a".repeat(251)}.pdf`;

  assert.equal(saved(name), name);
});

test("for any name, the header is one ASCII line with a safe file name", () => {
  const anyName = fc.string({
    unit: fc.oneof(
      fc.constantFrom("/", "\\", '"', "%", "'", "\r", "\n", "\0", "\u202E", "\uDC00", "が"),
      fc.string(),
    ),
    maxLength: 400,
  });
  fc.assert(
    fc.property(anyName, fc.constantFrom("", ".pdf", ".PDF"), (base, ending) => {
      const { plain, name } = read(contentDisposition(base + ending));

      assert.match(plain, /^[ -~]+$/);
      assert.doesNotMatch(name, /[/\\\p{Cc}\p{Bidi_Control}]/u);
      assert.ok(Buffer.byteLength(name) <= 255);
      assert.ok(name.endsWith(ending));
    }),
    { numRuns: 500 },
  );
});

test("a harmless name is unchanged", () => {
  const harmless = fc.string({
    unit: fc.constantFrom(...Array.from("契約書が。()[]{}!#$&+-^_~;,=@'* aZ09.")),
    maxLength: 60,
  });
  fc.assert(
    fc.property(harmless, (base) => {
      assert.equal(saved(`甲${base}.pdf`), `甲${base}.pdf`);
    }),
  );
});
