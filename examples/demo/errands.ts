/** One task of the demo, and what it is there to show. */
export interface Errand {
  label: string;
  type: string;
  payload: Record<string, unknown>;
  /** The error code that it must end with; it must succeed if absent. */
  fails?: string;
}

/** What the demo submits: pages as the web has them, a call to an API, and what a worker must survive. */
export function errands(site: string, api: string): Errand[] {
  const scrape = (label: string, url: string, fails?: string): Errand => ({
    label,
    type: 'web_scrape',
    payload: { url },
    ...(fails === undefined ? {} : { fails }),
  });
  return [
    scrape('the api’s own documentation', `${api}/docs`),
    scrape('a shop, with OpenGraph', `${site}/shop`),
    scrape('windows-1251', `${site}/novosti`),
    scrape('Shift_JIS', `${site}/densha`),
    scrape('GB18030', `${site}/xinwen`),
    scrape('UTF-16', `${site}/harbour`),
    scrape('ISO-8859-1, in <meta> only', `${site}/cafe`),
    scrape('broken markup', `${site}/garage-sale`),
    scrape('two megabytes, 40,000 links', `${site}/huge`),
    scrape('compressed by zstd', `${site}/coded/zstd`),
    scrape('three redirects', `${site}/hop/3`),
    scrape('no title', `${site}/no-title`),
    scrape('an empty page', `${site}/empty`),
    scrape('a server that thinks first', `${site}/slow/2500`),
    {
      label: 'a call to an API',
      type: 'http_request',
      payload: { url: `${site}/echo`, method: 'POST', json: { hello: 'world' } },
    },
    scrape('an error page', `${site}/status/404`, 'HTTP_STATUS'),
    scrape('a redirect loop', `${site}/loop`, 'TOO_MANY_REDIRECTS'),
    scrape('a page without end', `${site}/endless`, 'BODY_TOO_LARGE'),
    scrape('a gzip bomb', `${site}/bomb/gzip`, 'BODY_TOO_LARGE'),
    scrape('an image', `${site}/image`, 'UNSUPPORTED_MEDIA'),
    scrape('a cloud’s metadata service', 'http://169.254.169.254/latest/meta-data/', 'ADDRESS_NOT_ALLOWED'),
    scrape('a redirect into the network', `${site}/to?url=http://2130706433:1/`, 'ADDRESS_NOT_ALLOWED'),
  ];
}
