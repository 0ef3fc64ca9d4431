/**
 * Every service that tests can ask for holds a real conversation.
 * @services valkey redis postgres docker
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { dockerCli } from '../scripts/services/docker.ts';
import { query } from '../scripts/services/postgres.ts';
import { respConversation } from '../scripts/services/resp.ts';
import { withService } from './support/with-service.ts';

withService('valkey', 'VALKEY_URL', (url) => {
  test('answers PING, and GET with what was SET', async () => {
    const key = `services-test:${randomUUID()}`;
    const commands = [['PING'], ['SET', key, 'größer'], ['GET', key], ['DEL', key], ['GET', key]];
    expect(await respConversation(url, commands)).toEqual(['PONG', 'OK', 'größer', '1', null]);
  });

  test('answers an error as an error', async () => {
    await expect(respConversation(url, [['NO-SUCH-COMMAND']])).rejects.toThrow('unknown command');
  });
});

withService('redis', 'REDIS_URL', (url) => {
  test('answers PING', async () => {
    expect(await respConversation(url, [['PING']])).toEqual(['PONG']);
  });
});

withService('postgres', 'DATABASE_URL', (url) => {
  test('answers a query', async () => {
    expect(await query(url, 'SELECT 1')).toBe('1');
  });

  test('commits durably', async () => {
    expect(await query(url, 'SHOW fsync')).toBe('on');
    expect(await query(url, 'SHOW synchronous_commit')).toBe('on');
  });
});

withService('docker', 'DOCKER_HOST', (url) => {
  const image = process.env.DOCKER_TEST_IMAGE ?? '';

  test('runs a container of the test image', async () => {
    expect(await dockerCli(url, ['run', '--rm', image, 'echo', 'hello from inside'])).toBe(
      'hello from inside',
    );
  });

  test('kills a running container', async () => {
    const id = await dockerCli(url, ['run', '-d', image, 'sleep', '600']);
    expect(await dockerCli(url, ['inspect', '-f', '{{.State.Running}}', id])).toBe('true');
    await dockerCli(url, ['kill', id]);
    await dockerCli(url, ['wait', id]);
    expect(await dockerCli(url, ['inspect', '-f', '{{.State.Running}} {{.State.ExitCode}}', id])).toBe(
      'false 137',
    );
    await dockerCli(url, ['rm', '-f', id]);
  });
});
