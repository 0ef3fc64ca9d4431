import { expect, test } from 'vitest';
import { isNetwork, isPublic, Networks } from './networks.ts';

test.each([
  '93.184.216.34',
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.1',
  '100.63.255.255',
  '172.15.0.1',
  '172.32.0.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00::1',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
])('%s is public', (address) => expect(isPublic(address)).toBe(true));

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.0.1',
  '198.19.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a00:1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::',
  '64:ff9b:1::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'fd00:ec2::254',
  'ff02::1',
  '2001:db8::1',
  '2001::1',
  '2002:7f00:1::',
  'localhost',
  '127.1',
  '',
])('%j is not public', (address) => expect(isPublic(address)).toBe(false));

test('networks hold what lies in them', () => {
  const networks = new Networks(['10.1.0.0/16', '127.0.0.1', 'fd00::/8']);
  expect(['10.1.2.3', '127.0.0.1', '::ffff:127.0.0.1', 'fd12::1'].map((each) => networks.has(each))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['10.2.0.1', '127.0.0.2', 'fe80::1', 'fd00::1%x', 'x', ''].some((each) => networks.has(each))).toBe(
    false,
  );
});

test.each([
  '10.0.0.0/33',
  '10.0.0/8',
  'example.com',
  '',
  '/8',
  '::1/129',
  '1.1.1.1/',
  '1.1.1.1/8/8',
  'fe80::1%eth0',
  '1.1.1.1/-1',
])('%j is no network', (entry) => expect(isNetwork(entry)).toBe(false));
