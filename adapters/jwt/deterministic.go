package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// deterministicES256 signs by RFC 6979, so that the same claims make the same token: a refresh token that is requested
// again within the grace must not become a second one. golang-jwt signs with new random bytes each time.
type deterministicES256 struct{ *jwt.SigningMethodECDSA }

// Sign signs text with a *ecdsa.PrivateKey of P-256.
func (m deterministicES256) Sign(text string, key any) ([]byte, error) {
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, jwt.ErrInvalidKeyType
	}
	digest := sha256.Sum256([]byte(text))
	der, err := private.Sign(nil, digest[:], crypto.SHA256) // without randomness: deterministic
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	signature := make([]byte, 2*m.KeySize) // r and s, each in the curve's width (RFC 7518, 3.4)
	pair.R.FillBytes(signature[:m.KeySize])
	pair.S.FillBytes(signature[m.KeySize:])
	return signature, nil
}
