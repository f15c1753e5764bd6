/** Milliseconds that the server's clock is ahead of this machine's. */
let aheadMs = 0;

/**
 * Times on the page are the server's: a laptop with a wrong clock still says "2 min ago" rightly.
 */
export const serverClock = {
  now() {
    return Date.now() + aheadMs;
  },
  /**
   * @param {string} serverNow ISO instant in an answer
   * @param {number} askedAtMs this machine's time when it was asked
   */
  adjust(serverNow, askedAtMs) {
    const server = Date.parse(serverNow);
    if (!Number.isNaN(server)) aheadMs = server - (askedAtMs + Date.now()) / 2;
  },
};
