// Verifies access tokens with jose (npm, 4.11 or later):
// node verify.mjs JWKS_URL ISSUER AUDIENCE, with a token on each line of standard input.
import { createInterface } from 'node:readline'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [url, issuer, audience] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(url)) // fetched when needed, kept, fetched again for an unknown kid

// verify returns the claims of an access token, or throws.
async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['ES256'],
    issuer,
    audience,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'sub'],
  })
  return payload
}

for await (const token of createInterface({ input: process.stdin })) {
  console.log(await verify(token).then(({ sub }) => `ok ${sub}`, (err) => `refused: ${err.message}`))
}
