import type { IncomingMessage } from "node:http";
import { Refusal } from "../domain/refusal.ts";
import { type BodyMemory, type ConnectMemory, SMALL_BODY } from "./connect-memory.ts";
import type { Rounds } from "./connect-rounds.ts";
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
  readonly rounds: Rounds;
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
  const body = reading.memory.open(isLarge ? "large" : "small");
  try {
    const parts = await collect(request, { ...reading, body, isLarge });
    return { parts, release: () => body.release() };
  } catch (error) {
    body.release();
    throw error;
  }
}

async function beginLarge({ memory, allowLarge }: Reading): Promise<void> {
  if (!memory.hasRoomForLarge()) throw noMemory();
  await allowLarge();
}

type Collecting = Reading & { readonly body: BodyMemory; readonly isLarge: boolean };

async function collect(request: IncomingMessage, reading: Collecting): Promise<Buffer[]> {
  const { limits, rounds } = reading;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const taken: Taken = { parts: [], bytes: 0, isLarge: reading.isLarge };
  const late = (): void => reject(new RequestFault(408, "The body arrives too slowly."));
  let clock = setTimeout(late, taken.isLarge ? limits.beginningWithinMs : limits.smallWithinMs);
  let isOver = false;

  const goOn = (): void => {
    if (!isOver) request.resume();
  };
  const passSmall = (): void => {
    clearTimeout(clock);
    clock = watchSpeed(() => taken.bytes, limits, late);
    permitLarge(taken, reading).then(goOn, reject);
  };
  const onData = (part: Buffer): void => {
    const passed = take(part, taken, reading);
    if (passed instanceof Error) return reject(passed);
    if (!passed && !taken.isLarge) return;
    request.pause();
    if (passed) passSmall();
    else rounds.wait(goOn);
  };
  const onEnd = (): void => resolve();
  // Each end is followed by a close, and an unused error takes 4 µs.
  const onClose = (): void => {
    if (!request.readableEnded) reject(aborted());
  };
  request.on("data", onData).once("end", onEnd).once("close", onClose);
  try {
    await promise;
    return taken.parts;
  } finally {
    isOver = true;
    clearTimeout(clock);
    request.off("data", onData).off("end", onEnd).off("close", onClose).pause();
  }
}

type Taken = { readonly parts: Buffer[]; bytes: number; isLarge: boolean };

/** Keeps a part. Returns true if the body has passed 256 KiB with it, or the error for a body that is too large. */
function take(part: Buffer, taken: Taken, { limits, body, onPart }: Collecting): boolean | Error {
  const before = taken.bytes;
  taken.bytes += part.length;
  if (taken.bytes > limits.largest) return tooLarge();
  if (!body.add(part.length)) return noMemory();
  taken.parts.push(part);
  onPart(part);
  return before <= SMALL_BODY && taken.bytes > SMALL_BODY;
}

/** For a body of undeclared length, which turns out to be large only now. */
async function permitLarge(taken: Taken, { body, allowLarge }: Collecting): Promise<void> {
  if (taken.isLarge) return;
  if (!body.becomeLarge()) throw noMemory();
  await allowLarge();
  taken.isLarge = true;
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
