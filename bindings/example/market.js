// Who sells calls and who buys them, and what z0 calls them. In a real product this would lie in a database.

/** @typedef {{ id: string, bid: number, intents: string[] }} Buyer bid in cents */
/** @typedef {{ publisher: string, share: number }} Source a phone number's owner, and what of a charge is hers */

export const ACCOUNT = "acct_riverside";
export const TOP_UP_CENTS = 50_000;

/** The highest bid comes first. @type {Buyer[]} */
export const BUYERS = [
  { id: "acct_riverside_northgate", bid: 6_200, intents: ["insurance"] },
  { id: "acct_riverside_harbor", bid: 5_400, intents: ["insurance", "solar"] },
  { id: "acct_riverside_oakline", bid: 4_100, intents: ["solar", "roofing"] },
  { id: "acct_riverside_meadow", bid: 3_300, intents: ["insurance", "solar", "roofing"] },
];

/** Phone numbers that are called. @type {Record<string, Source>} */
export const NUMBERS = {
  ast_riverside_15550100: { publisher: "acct_riverside_dailypress", share: 0.6 },
  ast_riverside_15550101: { publisher: "acct_riverside_homeguide", share: 0.55 },
  ast_riverside_15550102: { publisher: "acct_riverside_homeguide", share: 0.55 },
};

export const INTENTS = ["insurance", "solar", "roofing"];
