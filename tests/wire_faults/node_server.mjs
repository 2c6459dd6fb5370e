// Node's http2 server as a gRPC server that does what the key of a request says. Its port goes to stdout.
import http2 from 'node:http2'

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' }
const REVISION = Buffer.from([0x0a, 0x02, 0x18, 0x07]) // a header with revision 7
const settings = JSON.parse(process.argv[2])

const framed = message => {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

// Field 1 of RangeRequest and PutRequest is the key: tag, length, octets.
const keyOf = body => (body.length > 6 ? body.subarray(7, 7 + body[6]).toString() : '')

const trailers = (stream, status = '0', message = '') => {
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, 'grpc-message': message }))
}

const answer = (stream, message = REVISION, options = {}) => {
  trailers(stream)
  stream.respond(HEADERS, { waitForTrailers: true, ...options })
  stream.end(framed(message))
}

// A RangeResponse with one key whose value has so many octets: the lengths are written as varints.
const varint = number => {
  const out = []
  for (; number > 127; number = Math.floor(number / 128)) out.push((number % 128) | 128)
  return Buffer.from([...out, number])
}
const field = (tag, octets) => Buffer.concat([Buffer.from([tag]), varint(octets.length), octets])
const range = size => field(0x12, Buffer.concat([field(0x0a, Buffer.from('k')), field(0x2a, Buffer.alloc(size, 'x'))]))

const seen = {}
const cases = {
  large: stream => answer(stream, range(1_000_000)),
  reset: (stream, code) => stream.close(Number(code)),
  'reset-after-headers': (stream, code) => { stream.respond(HEADERS); setImmediate(() => stream.close(Number(code))) },
  'reset-within': (stream, code) => {
    stream.respond(HEADERS)
    stream.write(framed(REVISION).subarray(0, 7), () => stream.close(Number(code)))
  },
  status: (stream, code) => stream.respond({ ...HEADERS, 'grpc-status': code, 'grpc-message': 'so says Node' }, { endStream: true }),
  'status-behind': (stream, code) => {
    trailers(stream, code, 'so says Node')
    stream.respond(HEADERS, { waitForTrailers: true })
    stream.end()
  },
  'no-status': stream => { stream.respond(HEADERS); stream.end(framed(REVISION)) },
  http: (stream, code) => { stream.respond({ ':status': Number(code), 'content-type': 'text/html' }); stream.end('<p>no etcd</p>') },
  goaway: stream => { stream.session.goaway(0, stream.id); answer(stream) },
  'goaway-unseen': stream => stream.session.goaway(0, stream.id - 2),
  'goaway-calm': ({ id, session }) => {
    session.goaway(11, id, Buffer.from('too_many_pings'))
    setTimeout(() => session.destroy(), 20)
  },
  close: stream => { stream.session.close(); answer(stream) },
  destroy: stream => stream.session.destroy(),
  ping: stream => stream.session.ping(() => answer(stream)),
  settings: stream => stream.session.settings(
    { headerTableSize: 0, initialWindowSize: 20, maxFrameSize: 20000, maxConcurrentStreams: 1 },
    () => answer(stream),
  ),
  'early-hints': stream => { stream.additionalHeaders({ ':status': 103, link: '</x>' }); answer(stream) },
  altsvc: stream => { stream.session.altsvc('h2=":1"', 'http://x'); answer(stream) },
  origin: stream => { stream.session.origin('https://example.com'); answer(stream) },
  late: (stream, ms) => setTimeout(() => answer(stream), Number(ms)),
}

const server = http2.createServer({
  settings,
  paddingStrategy: http2.constants.PADDING_STRATEGY_MAX,
  maxSessionMemory: 1000, // or it refuses calls while much waits to be sent
})
server.on('sessionError', () => {})
server.on('stream', (stream, headers) => {
  const parts = []
  stream.on('error', () => {})
  stream.on('data', part => parts.push(part))
  stream.on('end', () => {
    const [name, argument] = keyOf(Buffer.concat(parts)).split(' ') // and who asks
    // Each fault happens once: who asks again is answered.
    const key = headers[':path'] + keyOf(Buffer.concat(parts))
    const again = seen[key]
    seen[key] = (again ?? 0) + 1
    if (again || !(name in cases)) answer(stream, REVISION)
    else cases[name](stream, argument)
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit())
