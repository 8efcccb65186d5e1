import type { PageSettings } from "../../src/usecases/capabilities.ts";

/** The page as it is without any settings. */
export const PAGE_SETTINGS: PageSettings = {
  productName: "契約書キャビネ",
  supportUrl: null,
  contractUrl: null,
};
