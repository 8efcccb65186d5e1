import manifest from "../package.json" with { type: "json" };

/** The version of the program: package.json is its only source, in a checkout and in the image. */
export const VERSION: string = manifest.version;
