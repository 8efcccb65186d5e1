import { type Html, html } from "./html.ts";

export type Icon = "check" | "pause" | "warning" | "stop" | "info";

/** A small picture in the colour of its text. Hidden from screen readers, since the words beside it have the same meaning. */
export function icon(name: Icon): Html {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">${SHAPES[name]}</svg>`;
}

/** Each has its own outline, so that colour is not the only difference. */
const SHAPES: Readonly<Record<Icon, Html>> = {
  check: html`<circle cx="10" cy="10" r="8.5"/><path class="cut" d="M6 10.4l2.8 2.8L14.2 7.6"/>`,
  pause: html`<rect x="1.5" y="1.5" width="17" height="17" rx="4"/><path class="cut" d="M7.5 6.5v7M12.5 6.5v7"/>`,
  warning: html`<path d="M10 1.2 19.4 18H.6z"/><path class="cut" d="M10 7.2v5M10 14.6v.6"/>`,
  stop: html`<path d="M6 1.5h8L18.5 6v8L14 18.5H6L1.5 14V6z"/><path class="cut" d="M6.5 10h7"/>`,
  info: html`<circle cx="10" cy="10" r="8.5"/><path class="cut" d="M10 9v5M10 5.6v.6"/>`,
};
