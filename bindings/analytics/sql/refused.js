// A query that is not answered, with the words that say why. Where Analytics Engine's own words for
// it are known, they are used, so that what fails here fails there with the same text.

export class Refused extends Error {}

/**
 * @param {string} why
 * @returns {never}
 */
export function refuse(why) {
  throw new Refused(why);
}
