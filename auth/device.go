package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
)

// deviceNonce is how many bytes of a device's text are random.
const deviceNonce = 16

// Device returns a text that a client keeps, and gives in Credentials.Device when it logs in
// again as the same user: its failures are counted apart from those of its neighbours. It is
// good until the user's password is hashed anew. The handler of Sessions keeps one in a
// cookie. (OWASP, "Slow Down Online Guessing Attacks with Device Cookies".)
func (a *Auth) Device(u *User) string {
	nonce := make([]byte, deviceNonce)
	_, _ = rand.Read(nonce) // it never fails
	return base64.RawURLEncoding.EncodeToString(slices.Concat(nonce, u.deviceProof(nonce)))
}

// deviceProof is what nobody can make without the hash of the user's password.
func (u *User) deviceProof(nonce []byte) []byte {
	mac := hmac.New(sha256.New, []byte(u.password))
	mac.Write([]byte("device\x00"))
	mac.Write(nonce)
	return mac.Sum(nil)
}

// knowsDevice reports whether the text of a device was given to u, who may be nil. Where the
// hash is none, everybody knows it.
func (u *User) knowsDevice(text string) bool {
	if u == nil || kindOf(u.password) == (hashKind{}) {
		return false
	}
	sum, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(sum) == deviceNonce+sha256.Size && hmac.Equal(sum[deviceNonce:], u.deviceProof(sum[:deviceNonce]))
}

// deviceAge is how long browsers keep a cookie at most, 400 days, in seconds.
const deviceAge = 400 * 24 * 60 * 60

// deviceCookie is the cookie of a device, which outlasts sessions.
func (s *Sessions) deviceCookie(text string) *http.Cookie {
	//nolint:gosec // Secure is left out where the configuration says so
	c := &http.Cookie{HttpOnly: true, MaxAge: deviceAge, Name: "__Host-device", Path: "/", SameSite: http.SameSiteLaxMode, Secure: true, Value: text}
	if s.config.Insecure {
		c.Name, c.Secure = "device", false
	}
	return c
}

// device is what the browser has of it.
func (s *Sessions) device(r *http.Request) string {
	c, err := r.Cookie(s.deviceCookie("").Name)
	if err != nil {
		return ""
	}
	return c.Value
}
