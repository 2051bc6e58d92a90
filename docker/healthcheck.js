// The health check of every image: does /readyz on this port answer 200?  node docker/healthcheck.js PORT
const response = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`).catch((error) => error);
if (!response.ok) {
  console.error(response instanceof Error ? String(response.cause ?? response) : await response.text());
  process.exit(1);
}
