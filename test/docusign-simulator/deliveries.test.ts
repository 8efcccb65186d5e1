import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigurationWish } from "../support/docusign/connect-routes.ts";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import type { Account, Envelope, User } from "../support/docusign/state.ts";
import { rowsOf, startSimulator, within } from "./client.ts";
import { isSignedWith, jsonOf, type Listener, type Post, startListener } from "./listener.ts";

type Story = AsyncDisposable & {
  simulator: DocuSignSimulator;
  listener: Listener;
  account: Account;
  admin: User;
  stranger: User;
};

async function openStory(configuration: Partial<ConfigurationWish> | null = {}): Promise<Story> {
  const simulator = await startSimulator({ hmacKeys: ["old", "new"] });
  const listener = await startListener();
  const account = simulator.addAccount({ hmacKeys: ["the account's own"] });
  const ours = { integratorManaged: "true", requiresAcknowledgement: "true" };
  if (configuration !== null) {
    simulator.addConfiguration(account, { urlToPublishTo: listener.url, ...ours, ...configuration });
  }
  return {
    simulator,
    listener,
    account,
    admin: simulator.addUser(account, { name: "山田", role: "DS Admin" }),
    stranger: simulator.addUser(simulator.addAccount(), { name: "乙", role: "DS Admin" }),
    [Symbol.asyncDispose]: async () => {
      await simulator[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

function told(posts: readonly Post[]): unknown[] {
  return posts.map((post) => within(jsonOf(post), "event"));
}

const FORMATS: [name: string, configuration: Partial<ConfigurationWish>, type: RegExp, start: string][] = [
  ["JSON SIM", {}, /^application\/json/, '{"event":"envelope-completed"'],
  [
    "JSON aggregate",
    { deliveryMode: "aggregate", events: [], envelopeEvents: ["Completed"] },
    /^application\/json/,
    '{"status":"completed"',
  ],
  [
    "legacy XML",
    { deliveryMode: "aggregate", events: [], eventData: {}, envelopeEvents: ["Completed"] },
    /^text\/xml/,
    '<?xml version="1.0" encoding="utf-8"?><DocuSignEnvelopeInformation',
  ],
];

for (const [name, configuration, type, start] of FORMATS) {
  test(`${name} is posted over HTTP and signed over its very bytes with every key`, async () => {
    await using story = await openStory(configuration);

    await story.simulator.concludeEnvelope({ from: story.admin, to: [story.stranger] });

    const [post, ...more] = story.listener.posts;
    assert.ok(post !== undefined && more.length === 0);
    assert.ok(isSignedWith(post, ["old", "new"]));
    assert.match(post.headers["content-type"] ?? "", type);
    assert.equal(post.headers["x-docusign-accountid"], story.account.accountId);
    assert.equal(post.headers["x-authorization-digest"], "HMACSHA256");
    assert.ok(post.body.toString().startsWith(start), post.body.toString().slice(0, 200));
  });
}

test("a customer's own configuration is signed with the account's own key, or not at all", async () => {
  await using story = await openStory({ integratorManaged: "false" });
  const { simulator, listener, account, admin } = story;
  simulator.addConfiguration(account, { urlToPublishTo: listener.url, includeHMAC: "false" });

  await simulator.concludeEnvelope({ from: admin });

  const [own, unsigned] = listener.posts;
  assert.ok(own !== undefined && isSignedWith(own, ["the account's own"]));
  assert.ok(unsigned !== undefined && isSignedWith(unsigned, []));
});

test("account-level configurations report sent envelopes, recipient ones report what their users receive", async () => {
  await using story = await openStory(null);
  const { simulator, listener, account, admin, stranger } = story;
  const other = simulator.addUser(account, { name: "佐藤", role: "DS Sender" });
  const custom = simulator.addConfiguration(account, { urlToPublishTo: listener.url });
  const received = simulator.addConfiguration(account, {
    urlToPublishTo: listener.url,
    configurationType: "customrecipient",
    allUsers: "false",
    userIds: [admin.userId],
  });
  const tellers = async (act: () => Promise<unknown>): Promise<unknown[]> => {
    const before = listener.posts.length;
    await act();
    return listener.posts.slice(before).map((post) => String(within(jsonOf(post), "configurationId")));
  };

  const sent = await tellers(() => simulator.concludeEnvelope({ from: other, to: [stranger] }));
  const toAdmin = await tellers(() => simulator.concludeEnvelope({ from: stranger, to: [admin] }));
  const toOther = await tellers(() => simulator.concludeEnvelope({ from: stranger, to: [other] }));

  assert.deepEqual([sent, toAdmin, toOther], [[custom.connectId], [received.connectId], []]);
  assert.equal(within(jsonOf(listener.posts[1] ?? assert.fail()), "data", "accountId"), account.accountId);
});

test("a configuration that is switched off or subscribes to a different event sends nothing", async () => {
  await using story = await openStory({ allowEnvelopePublish: "false" });
  const { simulator, listener, account, admin } = story;
  const paused = simulator.addConfiguration(account, { urlToPublishTo: listener.url, pausePublish: "true" });
  simulator.addConfiguration(account, { urlToPublishTo: listener.url, events: ["envelope-voided"] });

  await simulator.concludeEnvelope({ from: admin });
  const before = listener.posts.length;
  simulator.changeConfiguration(account, paused.connectId, { pausePublish: "false" });
  await simulator.concludeEnvelope({ from: admin });

  assert.deepEqual([before, told(listener.posts)], [0, ["envelope-completed"]]);
});

test("a reassignment and a delegation are sent with the recipients of that time", async () => {
  await using story = await openStory({
    events: ["recipient-reassign", "recipient-delegate", "envelope-purge"],
    eventData: { version: "restv2.1", includeData: ["recipients"] },
  });
  const { simulator, listener, admin, stranger } = story;
  const envelope = await simulator.sendEnvelope({ from: admin, to: [admin] });

  await simulator.reassign(envelope, admin, stranger);
  await simulator.delegate(envelope, stranger, admin);
  await simulator.purgeDocuments(envelope, "documents_queued");

  assert.deepEqual(told(listener.posts), ["recipient-reassign", "recipient-delegate", "envelope-purge"]);
  const [reassign, delegate] = listener.posts.map(jsonOf);
  assert.deepEqual(
    [within(reassign, "data", "recipientId"), within(reassign, "data", "reassignedRecipientId")],
    ["1", "2"],
  );
  assert.equal(within(delegate, "data", "recipientId"), "2");
  assert.ok(Array.isArray(within(reassign, "data", "envelopeSummary", "recipients", "carbonCopies")));
});

test("held messages are delivered in the order, and as often, as the test says", async () => {
  await using story = await openStory();
  const { simulator, listener, admin } = story;
  simulator.holdDeliveries();
  const envelopes: Envelope[] = [];
  for (const subject of ["a", "b", "c", "d"])
    envelopes.push(await simulator.concludeEnvelope({ from: admin, subject }));
  const names = (): (string | undefined)[] =>
    listener.posts.map(
      (post) =>
        envelopes.find(({ envelopeId }) => envelopeId === within(jsonOf(post), "data", "envelopeId"))
          ?.subject,
    );

  assert.deepEqual(names(), []);
  const numbers = [0.9, 0.1, 0.5, 0.3];
  simulator.shuffleHeld(() => numbers.shift() ?? 0);
  await simulator.deliver();
  assert.deepEqual(names(), ["b"]);
  await simulator.deliverTwice();
  assert.deepEqual(names(), ["b", "d", "d"]);
  assert.deepEqual(
    listener.posts.map((post) => within(jsonOf(post), "retryCount")),
    [0, 0, 1],
  );
  await simulator.deliver("all", { atOnce: true });
  assert.equal(names().length, 5);
  assert.deepEqual(new Set(names().slice(3)), new Set(["a", "c"]));

  simulator.releaseDeliveries();
  await simulator.concludeEnvelope({ from: admin });
  assert.equal(listener.posts.length, 6);
});

test("a held message contains the state at the event, one in an older format the state at sending", async () => {
  await using story = await openStory({
    events: ["envelope-sent"],
    eventData: { version: "restv2.1", includeData: ["recipients"] },
  });
  const { simulator, listener, account, admin, stranger } = story;
  simulator.addConfiguration(account, {
    urlToPublishTo: listener.url,
    deliveryMode: "aggregate",
    events: [],
    envelopeEvents: ["Sent"],
  });
  simulator.holdDeliveries();
  const envelope = await simulator.sendEnvelope({ from: admin, to: [stranger] });
  await simulator.completeEnvelope(envelope);

  await simulator.deliver("all");

  const [sim, aggregate] = listener.posts.map(jsonOf);
  const summary = within(sim, "data", "envelopeSummary");
  assert.deepEqual([within(summary, "status"), within(aggregate, "status")], ["sent", "completed"]);
  assert.equal(rowsOf(within(summary, "recipients", "signers"))[0]?.["status"], "sent");
});

test("a lost message reaches nobody, the one after it does", async () => {
  await using story = await openStory();
  const { simulator, listener, admin } = story;

  simulator.loseNext();
  const lost = await simulator.concludeEnvelope({ from: admin });
  await simulator.concludeEnvelope({ from: admin });

  assert.deepEqual(
    simulator.lost.map(({ envelopeId }) => envelopeId),
    [lost.envelopeId],
  );
  assert.equal(listener.posts.length, 1);
});

test("what was refused is tried again with a higher retryCount, where acknowledgement is asked for", async () => {
  await using story = await openStory();
  const { simulator, listener, account, admin } = story;
  simulator.addConfiguration(account, { urlToPublishTo: listener.url });
  listener.status = 503;
  await simulator.concludeEnvelope({ from: admin });

  listener.status = 200;
  await simulator.retryFailed();
  const again = await simulator.retryFailed();

  assert.deepEqual(
    simulator.deliveries.map(({ status }) => status),
    [503, 503, 200],
  );
  const [first, , retry] = listener.posts.map(jsonOf);
  assert.equal(within(retry, "retryCount"), 1);
  assert.equal(within(retry, "generatedDateTime"), within(first, "generatedDateTime"));
  assert.deepEqual(again, []);
});

test("a listener that cannot be reached is recorded, not thrown", async () => {
  await using story = await openStory({ urlToPublishTo: "http://127.0.0.1:1/" });

  await story.simulator.concludeEnvelope({ from: story.admin });

  assert.deepEqual(
    story.simulator.deliveries.map(({ status }) => status),
    [null],
  );
});

test("the same bytes can be delivered again, and bodies of the test's own making", async () => {
  await using story = await openStory();
  const { simulator, listener, admin } = story;
  await simulator.concludeEnvelope({ from: admin });

  await simulator.redeliver(simulator.deliveries[0] ?? assert.fail());
  const { status } = await simulator.post({ url: listener.url, body: "rubbish", keys: ["k"] });

  const [first, second, own] = listener.posts;
  assert.deepEqual(first?.body, second?.body);
  assert.equal(status, 200);
  assert.ok(own !== undefined && isSignedWith(own, ["k"]));
});

test("other keys sign from then on, what is held too", async () => {
  await using story = await openStory();
  const { simulator, listener, admin } = story;
  simulator.holdDeliveries();
  await simulator.concludeEnvelope({ from: admin });

  simulator.setHmacKeys(["newest"]);
  await simulator.deliver("all");

  assert.ok(isSignedWith(listener.posts[0] ?? assert.fail(), ["newest"]));
});
