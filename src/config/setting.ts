import { z } from "zod";

/** One environment variable: how README describes it, and how its absence is met. */
export type About = {
  readonly name: string;
  /** Absent: the setting belongs to a library, which documents it. */
  readonly meaning?: string;
  /** As it would be written in the environment. */
  readonly default?: string;
  /** README's words for the default, if it is not a fixed text. */
  readonly otherwise?: string;
  readonly required?: "always" | "in production";
  /** Returns what production refuses about the value, or null. */
  readonly refused?: (text: string, valueOf: ValueOf) => string | null;
};

/** Returns another setting's text, its default included. */
type ValueOf = (name: string) => string | undefined;

const ABOUT = z.registry<About>();

/** Attaches the description to a schema of its own, so that schemas can be shared. Without a default it must accept undefined. */
export function setting<T extends z.ZodType>(schema: T, about: About): T {
  const own = schema.clone();
  ABOUT.add(own, about);
  return own;
}

type Group = z.ZodObject<Readonly<Record<string, z.core.$ZodType>>>;

export type Listed = About & { readonly path: readonly string[] };

/** The settings of a schema and of the objects in it, in order. */
export function listSettings(group: Group, path: readonly string[] = []): Listed[] {
  return Object.entries(group.shape).flatMap(([key, child]) => {
    const place = [...path, key];
    return child instanceof z.ZodObject ? listSettings(child, place) : [{ ...aboutOf(child), path: place }];
  });
}

type Values = Readonly<Record<string, string | undefined>>;

/** Arranges environment variables as the schema expects them, with defaults for those that are absent. */
export function arrange(group: Group, values: Values): Record<string, unknown> {
  const entries = Object.entries(group.shape).map(([key, child]): [string, unknown] => {
    if (child instanceof z.ZodObject) return [key, arrange(child, values)];
    const about = aboutOf(child);
    return [key, values[about.name] ?? about.default];
  });
  return Object.fromEntries(entries);
}

function aboutOf(schema: z.core.$ZodType): About {
  const about = ABOUT.get(schema);
  if (about === undefined) throw new Error("a setting has no description");
  return about;
}
