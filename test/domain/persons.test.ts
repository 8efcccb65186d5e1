import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../src/domain/envelope.ts";
import { comparePersons, isNamed, isSamePerson } from "../../src/domain/persons.ts";
import { u, x } from "./envelopes.ts";

const nobody = { userId: null, email: null };

function byAddress(email: string): Person {
  return { userId: null, email };
}

const pairs: { tells: string; one: Person; other: Person; likeness: string }[] = [
  { tells: "one id with two addresses", one: u, other: { ...u, email: x.email }, likeness: "same" },
  { tells: "two ids with one address", one: u, other: { ...x, email: u.email }, likeness: "different" },
  { tells: "an id and its address", one: u, other: byAddress(u.email), likeness: "same" },
  { tells: "an id and another address", one: u, other: byAddress(x.email), likeness: "different" },
  {
    tells: "an id without an address, and an address",
    one: { ...u, email: null },
    other: byAddress(u.email),
    likeness: "unknown",
  },
  {
    tells: "an address in different case and with surrounding whitespace",
    one: u,
    other: byAddress(` ${u.email.toUpperCase()} `),
    likeness: "same",
  },
  {
    tells: "addresses that are equal only in capitals",
    one: byAddress("gross@example.com"),
    other: byAddress("groß@example.com"),
    likeness: "different",
  },
  {
    tells: "an address and an empty one",
    one: byAddress(u.email),
    other: byAddress(" "),
    likeness: "unknown",
  },
  { tells: "an address and nothing", one: byAddress(u.email), other: nobody, likeness: "unknown" },
  { tells: "nothing twice", one: nobody, other: nobody, likeness: "unknown" },
];

for (const { tells, one, other, likeness } of pairs) {
  test(`${tells}: ${likeness}`, () => {
    assert.equal(comparePersons(one, other), likeness);
    assert.equal(comparePersons(other, one), likeness);
    assert.equal(isSamePerson(one, other), likeness === "same");
  });
}

test("a person is identified by an id, an address, or both", () => {
  assert.deepEqual([u, { ...u, email: null }, byAddress(u.email), byAddress(" "), nobody].map(isNamed), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
