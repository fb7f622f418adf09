// Keyfunc verifies access tokens with github.com/MicahParks/keyfunc/v3 and github.com/golang-jwt/jwt/v5:
// keyfunc JWKS_URL ISSUER AUDIENCE, with a token on each line of standard input.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// verify returns the subject of an access token.
func verify(keys keyfunc.Keyfunc, issuer, audience, token string) (string, error) {
	t, err := jwt.Parse(token, keys.Keyfunc, jwt.WithValidMethods([]string{"ES256"}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	if err != nil {
		return "", err
	}
	if t.Header["typ"] != "at+jwt" {
		return "", errors.New("not an access token")
	}
	return t.Claims.GetSubject()
}

func main() {
	url, issuer, audience := os.Args[1], os.Args[2], os.Args[3]
	// Fetches now, each hour, and for an unknown kid at most once in five minutes.
	keys, err := keyfunc.NewDefaultCtx(context.Background(), []string{url})
	if err != nil {
		log.Fatal(err)
	}
	for tokens := bufio.NewScanner(os.Stdin); tokens.Scan(); {
		sub, err := verify(keys, issuer, audience, tokens.Text())
		if err != nil {
			fmt.Printf("refused: %q\n", err)
			continue
		}
		fmt.Println("ok", sub)
	}
}
