// What the figures are compared with: a bare node:http server that reads the whole request and sends as many bytes as Postern sent.
// `POST /size?bytes=N` sets the size of the next answers; it runs in a process of its own, as Postern does.

import http from 'node:http';

let body: Buffer = Buffer.alloc(0);

const server = http.createServer((request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    if (request.url?.startsWith('/size?')) {
      body = Buffer.alloc(Number(new URLSearchParams(request.url.split('?')[1]).get('bytes')), 'x');
      response.end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/xml;charset=UTF-8', 'Content-Length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
