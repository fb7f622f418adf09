"""Verifies access tokens with PyJWT (2.6 or later, with cryptography; Debian: python3-jwt):
python3 verify.py JWKS_URL ISSUER AUDIENCE, with a token on each line of standard input."""
import sys

import jwt

url, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(url)  # fetches when needed, keeps, fetches again for an unknown kid


def verify(token):
    """Returns the claims of an access token, or raises jwt.PyJWTError."""
    key = keys.get_signing_key_from_jwt(token).key
    # Without audience= PyJWT refuses every token that has an aud.
    claims = jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience,
                        options={"require": ["exp", "sub"]})
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":  # verified by now, with the rest of the header
        raise jwt.InvalidTokenError("not an access token")
    return claims


for line in sys.stdin:
    try:
        print("ok", verify(line.strip())["sub"])
    except jwt.PyJWTError as e:
        print("refused:", e)
