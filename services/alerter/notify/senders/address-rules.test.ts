import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AddressRules, isCidr } from './address-rules.ts';

const REFUSED = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.168.1.1', '198.18.0.1'],
  ...['192.0.2.1', '198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1'],
  ...['64:ff9b::10.0.0.1', '64:ff9b:1::1', '2001:db8::1', '2001::1', '2002:7f00:1::', '100::1'],
  ...['', 'localhost', '127.1', '2130706433', '0177.0.0.1', '1.2.3.4.5', '::ffff:1.2.3'],
];

const PUBLIC = [
  ...['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1'],
  ...['192.167.1.1', '223.255.255.254', '2606:4700:4700::1111', '2a00:1450::1'],
  ...['::ffff:8.8.8.8', '64:ff9b::8.8.8.8'],
];

test('addresses that are not public are refused in every form', () => {
  const rules = new AddressRules([]);
  for (const address of REFUSED) assert.equal(rules.allows(address), false, address);
  for (const address of PUBLIC) assert.equal(rules.allows(address), true, address);
});

test('a network that is allowed by name may be dialled, and only that one', () => {
  const rules = new AddressRules(['10.1.0.0/16', 'fd00:1::/32', '127.0.0.1/32']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::9', '127.0.0.1']) {
    assert.equal(rules.allows(address), true, address);
  }
  for (const address of ['10.2.0.1', 'fd00:2::1', '127.0.0.2', '::1']) {
    assert.equal(rules.allows(address), false, address);
  }
});

test('a private IPv4 address is refused however IPv6 wraps it', () => {
  const rules = new AddressRules([]);
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, octet, (a, b, c) => {
      for (const prefix of ['::ffff:', '64:ff9b::', '::']) {
        assert.equal(rules.allows(`${prefix}10.${a}.${b}.${c}`), false);
        assert.equal(rules.allows(`${prefix}127.${a}.${b}.${c}`), false);
      }
    }),
  );
});

test('a CIDR is an address and a length that fits it', () => {
  for (const cidr of ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/8', '::1/128']) {
    assert.equal(isCidr(cidr), true, cidr);
  }
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/33',
    'fd00::/129',
    'x/8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
  ]) {
    assert.equal(isCidr(text), false, text);
  }
});
