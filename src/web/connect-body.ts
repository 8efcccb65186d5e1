import type { IncomingMessage } from "node:http";
import { Refusal } from "../domain/refusal.ts";
import { type BodyMemory, type ConnectMemory, SMALL_BODY } from "./connect-memory.ts";
import { RequestFault } from "./request-fault.ts";

export type BodyLimits = {
  readonly largest: number;
  /** A body of up to 256 KiB must be complete within this time. */
  readonly smallWithinMs: number;
  /** The same for the beginning of a larger one. */
  readonly beginningWithinMs: number;
  /** Afterwards, a larger one must bring this many bytes in any period of this length. */
  readonly periodMs: number;
  readonly bytesPerPeriod: number;
};

/** Messages that include documents are large. DocuSign requires listeners to accept 25 MB and more. */
export const BODY_LIMITS: BodyLimits = {
  largest: 32 * 1024 * 1024,
  smallWithinMs: 15_000,
  beginningWithinMs: 60_000,
  periodMs: 5_000,
  bytesPerPeriod: 5 * 64 * 1024,
};

export type Reading = {
  readonly memory: ConnectMemory;
  readonly limits: BodyLimits;
  /** Called once before more than 256 KiB are read. Rejects if the sender may not send so much. */
  readonly allowLarge: () => Promise<void>;
  /** Called with each part as it arrives. */
  readonly onPart: (part: Uint8Array) => void;
};

/** A body that was read. Its bytes count as memory until `release`. */
export type ReadBody = { readonly parts: Buffer[]; readonly release: () => void };

/**
 * Reads a body within the limits. Rejects with a `RequestFault` (400 for an aborted request, 408, 413) or a `Refusal`
 * (`unavailable` if there is no memory for it). It leaves the rest unread.
 */
export async function readBody(request: IncomingMessage, reading: Reading): Promise<ReadBody> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > reading.limits.largest) throw tooLarge();
  const isLarge = declared > SMALL_BODY;
  if (isLarge) await beginLarge(reading);
  if (request.destroyed) throw aborted();
  const memory = reading.memory.open(isLarge ? "large" : "small");
  try {
    const parts = await collect(request, memory, { ...reading, isLarge });
    return { parts, release: () => memory.release() };
  } catch (error) {
    memory.release();
    throw error;
  }
}

async function beginLarge({ memory, allowLarge }: Reading): Promise<void> {
  if (!memory.hasRoomForLarge()) throw noMemory();
  await allowLarge();
}

type Collecting = Reading & { readonly isLarge: boolean };

async function collect(request: IncomingMessage, memory: BodyMemory, reading: Collecting): Promise<Buffer[]> {
  const { limits, isLarge, onPart } = reading;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const parts: Buffer[] = [];
  const state = { received: 0, isOver: false };
  const late = (): void => reject(new RequestFault(408, "The body arrives too slowly."));
  let clock = setTimeout(late, isLarge ? limits.beginningWithinMs : limits.smallWithinMs);

  const passSmall = (): void => {
    clearTimeout(clock);
    clock = watchSpeed(() => state.received, limits, late);
    if (!isLarge) grow(request, memory, { ...reading, isOver: () => state.isOver }).catch(reject);
  };
  const onData = (part: Buffer): void => {
    const before = state.received;
    state.received += part.length;
    if (state.received > limits.largest) return reject(tooLarge());
    if (!memory.add(part.length)) return reject(noMemory());
    parts.push(part);
    onPart(part);
    if (before <= SMALL_BODY && state.received > SMALL_BODY) passSmall();
  };
  const onEnd = (): void => resolve();
  const onClose = (): void => reject(aborted());
  request.on("data", onData).once("end", onEnd).once("close", onClose);
  try {
    await promise;
    return parts;
  } finally {
    state.isOver = true;
    clearTimeout(clock);
    request.off("data", onData).off("end", onEnd).off("close", onClose);
    request.pause();
  }
}

/** A body of undeclared length has turned out to be large. */
async function grow(
  request: IncomingMessage,
  memory: BodyMemory,
  { allowLarge, isOver }: Reading & { readonly isOver: () => boolean },
): Promise<void> {
  if (!memory.becomeLarge()) throw noMemory();
  request.pause();
  await allowLarge();
  if (!isOver()) request.resume();
}

const SAMPLES = 20;

/** Calls `onSlow` once fewer bytes than required have arrived in the latest period. */
function watchSpeed(
  received: () => number,
  { periodMs, bytesPerPeriod }: BodyLimits,
  onSlow: () => void,
): NodeJS.Timeout {
  const samples: number[] = [received()];
  return setInterval(() => {
    const now = received();
    samples.push(now);
    if (samples.length <= SAMPLES) return;
    const before = samples.shift() ?? 0;
    if (now - before < bytesPerPeriod) onSlow();
  }, periodMs / SAMPLES);
}

function tooLarge(): RequestFault {
  return new RequestFault(413, "The body is larger than 32 MiB.");
}

function aborted(): RequestFault {
  return new RequestFault(400, "The request was aborted.");
}

function noMemory(): Refusal {
  return new Refusal("unavailable", "Too many messages are being received.");
}
