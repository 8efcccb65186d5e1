import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import type { Foundation } from "../../src/foundation.ts";
import { createEventRecorder } from "../../src/store/events/event-recorder.ts";
import { recordEvents } from "../../src/store/events/record-events.ts";
import { type Delivery, receiveEvent } from "../../src/usecases/receiving/receive-event.ts";
import { deliveryOf } from "../support/connect.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { SLOT_HOURS } from "../support/postgres.ts";
import { settle } from "../support/settle.ts";
import type { World } from "../support/world.ts";
import { strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";

const LIMITS = { batch: 100, waiting: 100, waitingBytes: 1_000_000, writers: 1, answerWithinMs: 60_000 };

test("an event whose recording fails before or after its commit is recorded once after the retry", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world, colleague } = companies;
  world.docusign.holdDeliveries();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  const [message] = world.docusign.held;
  assert.ok(message !== undefined);

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async (process) => await receive(process, deliver(message)),
    recover: async () => {
      const again = deliver(message);
      assert.match(await repeat(world, again), /^(recorded|repeat)$/);
      await settle(world);
    },
    tell: async () => await tellOutcome(world),
  });

  assert.equal(steps.length, 1);
  assert.equal(outcome.events.length, 1);
  assert.equal(outcome.contracts.length, 1);
  assert.deepEqual(outcome.leftOver, []);
});

type Message = World["docusign"]["held"][number];

function deliver({ body, url }: Message): Delivery {
  const linkId = parseUuid<LinkId>(url.slice(url.lastIndexOf("/") + 1));
  assert.ok(linkId !== null);
  return deliveryOf(linkId, body(0));
}

async function receive({ working, now }: Foundation, delivery: Delivery): Promise<string> {
  const recorder = createEventRecorder(
    async (events) => await recordEvents(working.pool, events, SLOT_HOURS),
    LIMITS,
  );
  return await receiveEvent({ recorder, importTiming: "immediate", now }, delivery);
}

async function repeat({ service }: World, delivery: Delivery): Promise<string> {
  return await receive(service.foundation, delivery);
}
