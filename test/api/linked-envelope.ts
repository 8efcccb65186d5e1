import type { AccountId } from "../../src/domain/identifiers.ts";
import type { Envelope, User } from "../support/docusign/state.ts";
import type { World } from "../support/world.ts";
import { assertAnswered } from "./described.ts";
import { id } from "./stored.ts";

const OTSU = [{ name: "乙", email: "otsu@example.com" }];

const PDF = [{ name: "契約書.pdf" }];

export type Linked = {
  readonly admin: User;
  readonly colleague: User;
  explain: (
    envelopeId: string,
    language?: string,
  ) => Promise<{ status: number; headers: Headers; body: any }>;
  conclude: (from?: User) => Promise<Envelope>;
};

export async function link(world: World): Promise<Linked> {
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "佐藤", role: "DS Sender" });
  await world.link(admin);
  await world.runJobs();
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "links:read" });
  return {
    admin,
    colleague,
    async explain(envelopeId, language = "ja") {
      const headers = { authorization: `Bearer ${token}`, "accept-language": language };
      const response = await fetch(`${world.url}/v1/envelopes/${envelopeId}`, { headers });
      const { status, headers: answered } = response;
      const answer = { status, headers: answered, body: JSON.parse(await response.text()) };
      assertAnswered({ method: "GET", path: `/v1/envelopes/${envelopeId}` }, answer);
      return answer;
    },
    conclude: async (from = admin) =>
      await world.docusign.concludeEnvelope({ from, to: OTSU, documents: PDF }),
  };
}

export function accountOf(user: User): AccountId {
  return id(user.defaultAccountId);
}
