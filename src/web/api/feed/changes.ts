import type { Response } from "express";
import { z } from "zod";
import { FEED_TYPES, type FeedPage, type FeedType } from "../../../store/contracts/feed.ts";
import { RequestFault } from "../../request-fault.ts";
import { type ApiUses, type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "../endpoint.ts";
import { CHANGES } from "../examples.ts";
import { limit, numberParameter } from "../fields.ts";
import { changePage } from "../schemas.ts";
import { toItem } from "./items.ts";
import type { FeedRequest } from "./feed-reader.ts";

const MOST_SECONDS = 30;
/** A place becomes free when a waiting request of the tenant ends. */
const RETRY_AFTER_S = 5;

const after = z
  .string()
  .regex(/^(latest|\d{1,16})$/, AFTER_MESSAGE)
