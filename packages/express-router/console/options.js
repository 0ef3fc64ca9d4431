/**
 * What the service says to this page when it is loaded, so that it is there when the service is not.
 *
 * @type {{ outOfBand?: string, demo?: readonly { label: string, path: string, body: object }[] }}
 */
export const options = JSON.parse(
  document.querySelector('meta[name=killswitch-options]')?.getAttribute('content') || '{}',
);
