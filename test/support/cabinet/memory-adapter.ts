import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

/** Keeps what an OpenID provider remembers, also while the provider itself is built again with other keys. */
export function createMemoryAdapter(): AdapterFactory {
  const stored = new Map<string, AdapterPayload>();
  return (model) => createModelAdapter(stored, model);
}

function createModelAdapter(stored: Map<string, AdapterPayload>, model: string): Adapter {
  const findBy = async (matches: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> =>
    [...stored].find(([key, payload]) => key.startsWith(`${model}:`) && matches(payload))?.[1];
  return {
    upsert: async (id, payload) => void stored.set(`${model}:${id}`, payload),
    find: async (id) => stored.get(`${model}:${id}`),
    findByUid: (uid) => findBy((payload) => payload.uid === uid),
    findByUserCode: (userCode) => findBy((payload) => payload.userCode === userCode),
    consume: async (id) => {
      const payload = stored.get(`${model}:${id}`);
      if (payload !== undefined)
        stored.set(`${model}:${id}`, { ...payload, consumed: Math.floor(Date.now() / 1_000) });
    },
    destroy: async (id) => void stored.delete(`${model}:${id}`),
    revokeByGrantId: async (grantId) => {
      for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key);
    },
  };
}
