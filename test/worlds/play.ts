import type { Move } from "./moves.ts";
import { playEnd } from "./play-end.ts";
import { playComplete, playForward, playSend } from "./play-envelopes.ts";
import { playApprove, playEdit, playLink, playPause, playStart } from "./play-links.ts";
import { playForge, playMail } from "./play-mail.ts";
import { playDelete, playGroup, playPerson } from "./play-people.ts";
import { playSpend, playSqueeze, playWeather } from "./play-weather.ts";
import { type Stage, tell } from "./stage.ts";
import { work } from "./workers.ts";

/** Plays one move, some minutes after the one before. */
export async function play(stage: Stage, move: Move): Promise<void> {
  stage.world.clock.pass(move.minutes * 60_000);
  switch (move.kind) {
    case "send":
      return await playSend(stage, move);
    case "complete":
      return await playComplete(stage, move);
    case "forward":
      return await playForward(stage, move);
    case "mail":
      return await playMail(stage, move);
    case "forge":
      return await playForge(stage, move);
    case "work":
      return await work(stage, move.death);
    case "restart":
      tell(stage, "the service is restarted");
      return await stage.world.restart();
    default:
      return await playOther(stage, move);
  }
}

type Other = Exclude<Move, { kind: "send" | "complete" | "forward" | "mail" | "forge" | "work" | "restart" }>;

async function playOther(stage: Stage, move: Other): Promise<void> {
  switch (move.kind) {
    case "link":
      return await playLink(stage, move);
    case "edit":
      return await playEdit(stage, move);
    case "pause":
    case "resume":
      return await playPause(stage, move);
    case "start":
      return await playStart(stage, move);
    case "end":
      return await playEnd(stage, move);
    case "approve":
      return await playApprove(stage, move);
    case "group":
      return await playGroup(stage, move);
    case "delete":
      return await playDelete(stage, move);
    case "weather":
      return playWeather(stage, move);
    case "squeeze":
      return playSqueeze(stage, move);
    case "spend":
      return playSpend(stage, move);
    default:
      return playPerson(stage, move);
  }
}
