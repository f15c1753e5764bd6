const LOOPBACK_NAMES = ['localhost', 'ip6-localhost'];
const ADDRESS_CLASS = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/;

/** Whether only this machine can reach an address, judged by its text; nothing is resolved. */
export function isLoopback(address: string): boolean {
  return ADDRESS_CLASS.test(address) || LOOPBACK_NAMES.includes(address.toLowerCase());
}
