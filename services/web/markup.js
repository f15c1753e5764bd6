import htm from '/modules/htm.js';
import { h } from '/modules/preact.js';

/** @typedef {import('/modules/preact.js').ComponentChild} View */

/** Tagged template that builds the tree of the page. Text in it is always escaped. */
export const html = htm.bind(h);
