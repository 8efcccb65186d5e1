import type { Forwarding, Person, Recipient } from "../../src/domain/envelope.ts";
import type { UserId } from "../../src/domain/identifiers.ts";
import { carbonCopy, forwarding, recipient } from "./envelopes.ts";

type Named = Person & { readonly userId: UserId };

type Addressee = { readonly person: Named; readonly group: string };

/** An action of a person on their nth place. With `keepsId`, the new recipient gets the old one's id. */
export type Act = {
  readonly kind: "reassign" | "delegate";
  readonly place: number;
  readonly to: Named;
  readonly keepsId: boolean;
};

type Place = { holder: Named; id: string; entry: Recipient };

/**
 * DocuSign's routing as far as it is known. Reassigning moves the place and leaves a carbon copy. Delegating lists the
 * new recipient beside the old one. Records who was addressed, who is listed, and which events there were.
 */
export class Routing {
  readonly addressed: readonly Addressee[];
  readonly recorded: Forwarding[] = [];
  #listed: Recipient[] = [];
  readonly #copies: Recipient[] = [];
  #places: Place[] = [];
  #lastId = 0;

  constructor(addressed: readonly Addressee[]) {
    this.addressed = addressed;
    for (const { person, group } of addressed)
      this.#list(person, recipient(person, { group }), this.#newId());
    // A carbon copy has nothing to sign, so its place cannot be passed on.
    this.#places = this.#places.filter(({ entry }) => entry.group !== "carbonCopies");
  }

  get listed(): readonly Recipient[] {
    return this.#listed;
  }

  /** The list if DocuSign kept no carbon copy for a person who reassigned. */
  get listedWithoutCopies(): readonly Recipient[] {
    return this.#listed.filter((entry) => !this.#copies.includes(entry));
  }

  /** Returns false if there is no such place or the person already holds it. */
  forward(act: Act): boolean {
    const place = this.#places[act.place % this.#places.length];
    if (place === undefined || place.holder.userId === act.to.userId) return false;
    this.#places = this.#places.filter((one) => one !== place);
    const newId = act.kind === "reassign" && act.keepsId ? place.id : this.#newId();
    this.recorded.push(forwarding(place.holder, act.to, place.id, newId));
    if (act.kind === "reassign") this.#reassign(place, act.to, newId);
    else this.#delegate(place, act.to, newId);
    return true;
  }

  #reassign(place: Place, to: Named, newId: string): void {
    const copyId = newId === place.id ? this.#newId() : place.id;
    this.#listed = this.#listed.filter((entry) => entry !== place.entry);
    const copy = carbonCopy(place.holder, { recipientId: copyId, recipientGuid: guid(copyId) });
    this.#listed.push(copy);
    this.#copies.push(copy);
    this.#list(to, recipient(to, { group: place.entry.group }), newId);
  }

  #delegate(place: Place, to: Named, newId: string): void {
    const giver = { ...place.entry, delegatedTo: [to] };
    this.#listed = this.#listed.map((entry) => (entry === place.entry ? giver : entry));
    this.#list(to, recipient(to, { group: place.entry.group, delegatedBy: place.holder }), newId);
  }

  #list(holder: Named, place: Recipient, id: string): void {
    const entry = { ...place, recipientId: id, recipientGuid: guid(id) };
    this.#listed.push(entry);
    this.#places.push({ holder, id, entry });
  }

  #newId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }
}

function guid(id: string): string {
  return `00000000-0000-4000-9000-${id.padStart(12, "0")}`;
}
