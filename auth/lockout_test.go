package auth_test

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cotenant/cotenant/auth"
)

// Who guesses has to wait, at his address; those whose name he uses elsewhere do not.
func TestLockOut(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 3, AddressFailures: 20})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	try := func(address, name, password string) error {
		t.Helper()
		_, err := a.Authenticate(s.acme, from(address, name, password))
		return err
	}
	locked := func(err error) bool { _, is := errors.AsType[*auth.LockedError](err); return is }
	for range 3 {
		if err := try("2001:db8::1", "Ada", other); !errors.Is(err, auth.ErrCredentials) {
			t.Fatal(err)
		}
	}
	// Waits are long here, so that they outlast what the test does: 2⁸ seconds, at first.
	s.exec(s.acme, t, "UPDATE auth_attempt SET failures = failures + 8")
	for _, address := range []string{"2001:db8::1", "2001:db8::ffff:1"} {
		if err := try(address, "ada", password); !locked(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1"} {
		if err := try(address, "ada", password); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := a.Authenticate(s.globex, from("2001:db8::1", "ada", password)); !errors.Is(err, auth.ErrCredentials) {
		t.Errorf("at another tenant: %v", err)
	}
	// It is over after a while, and the next wait is twice as long.
	s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = last_failure - interval '4.5 minutes'")
	if err := try("2001:db8::1", "ada", other); !errors.Is(err, auth.ErrCredentials) {
		t.Error(err)
	}
	s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = last_failure - interval '4.5 minutes'")
	if err := try("2001:db8::1", "ada", password); !locked(err) {
		t.Error(err)
	}
	// One that was right leaves nothing behind.
	s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = last_failure - interval '1 hour'")
	for range 20 {
		if err := try("2001:db8::1", "ada", password); err != nil {
			t.Fatal(err)
		}
	}

	// Over many names, the address alone counts; many at once are not more.
	var looked atomic.Int32
	var wg sync.WaitGroup
	start := time.Now()
	for i := range 40 {
		wg.Go(func() {
			if _, err := a.Authenticate(s.acme, from("198.51.100.7", fmt.Sprintf("user%d", i), other)); errors.Is(err, auth.ErrCredentials) {
				looked.Add(1)
			} else if !locked(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Beyond twenty they wait for 1 second, 2, 4 and so on.
	if n := int(looked.Load()); n < 20 || n > 20+bits.Len(uint(time.Since(start).Seconds())+1) {
		t.Errorf("%d attempts were looked at", n)
	}

	// Old rows go as new ones come.
	s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = last_failure - interval '25 hours'")
	for i := range 5 {
		try("203.0.113.9", fmt.Sprint(i), other)
	}
	var old int
	if err := s.DB().QueryRow(s.acme, "SELECT count(*) FROM auth_attempt WHERE last_failure < now() - interval '24 hours'").Scan(&old); err != nil || old != 0 {
		t.Errorf("%d old rows, %v", old, err)
	}
}

// Attempts whose rows are old, and are being cleared by one another, do not wait in a circle.
func TestClearTogether(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1000, AddressFailures: 1000})
	try := func() {
		t.Helper()
		if _, err := a.Authenticate(s.acme, from("192.0.2.1", "ada", other)); !errors.Is(err, auth.ErrCredentials) {
			t.Error(err)
		}
	}
	for range 15 {
		s.exec(s.acme, t, "DELETE FROM auth_attempt")
		try()
		// The name's row is among the ten that are cleared first, and the address's is not.
		s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = now() - CASE WHEN ctid = (SELECT min(ctid) FROM auth_attempt) THEN interval '40 days' ELSE interval '2 days' END")
		s.exec(s.acme, t, "INSERT INTO auth_attempt SELECT int8send(n), 1, now() - interval '30 days' FROM generate_series(1, 14) n")
		var attempts sync.WaitGroup
		for range 4 {
			attempts.Go(try)
		}
		attempts.Wait()
	}
}

// Who has logged in before from a device is not locked out by neighbours at its address.
func TestDevice(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 3, AddressFailures: 5})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	create(s.acme, t, a, auth.CreateParams{Username: "bob"})
	off := create(s.acme, t, a, auth.CreateParams{Username: "off", NoPassword: true})
	try := func(name, password, device string) (*auth.User, error) {
		c := from("192.0.2.1", name, password)
		c.Device = device
		return a.Authenticate(s.acme, c)
	}
	locked := func(err error) bool { _, is := errors.AsType[*auth.LockedError](err); return is }
	u, err := try("ada", password, "")
	if err != nil {
		t.Fatal(err)
	}
	device, second := a.Device(u), a.Device(u)
	for range 10 { // more than the bounds of the name and of the address
		for _, name := range []string{"ada", "bob", "carol"} {
			try(name, other, "")
		}
	}
	s.exec(s.acme, t, "UPDATE auth_attempt SET failures = failures + 10") // waits that outlast the test
	for name, device := range map[string]string{"ada": "", "bob": device, "off": a.Device(off), "carol": device, "ADA": device[:20], "Ada": device[1:] + "A"} {
		if _, err := try(name, password, device); !locked(err) {
			t.Errorf("%s with the device %q: %v", name, device, err)
		}
	}
	for range 10 {
		if _, err := try("ada", password, device); err != nil {
			t.Errorf("from a device that is known: %v", err)
		}
	}
	// The device is bounded as well, and another is another.
	for range 3 {
		if _, err := try("ada", other, device); !errors.Is(err, auth.ErrCredentials) {
			t.Error(err)
		}
	}
	s.exec(s.acme, t, "UPDATE auth_attempt SET failures = failures + 10")
	if _, err := try("ada", password, device); !locked(err) {
		t.Errorf("who guesses from a device: %v", err)
	}
	if u, err = try("ada", password, second); err != nil {
		t.Fatal(err)
	}
	if err := a.SetPassword(s.acme, u, other); err != nil {
		t.Fatal(err)
	}
	if _, err := try("ada", other, second); !locked(err) {
		t.Errorf("a device from before the password: %v", err)
	}
}

// What is older than a day is forgotten, also at an address from which somebody fails and logs
// in every now and then; what is not, is not.
func TestFailuresFade(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 3, AddressFailures: 10})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	try := func(name, password string) error {
		t.Helper()
		_, err := a.Authenticate(s.acme, from("192.0.2.1", name, password))
		return err
	}
	pass := func(time string) {
		t.Helper()
		s.exec(s.acme, t, "UPDATE auth_attempt SET last_failure = last_failure - $1::interval, forgotten_until = forgotten_until - $1::interval", time)
	}
	for range 15 {
		if err := try("bob", other); !errors.Is(err, auth.ErrCredentials) {
			t.Fatal(err)
		}
		if err := try("ada", password); err != nil {
			t.Fatal(err)
		}
		pass("20 hours")
	}
	// Fifty in an hour or two are not forgotten by those that follow, or by who logs in.
	for i := range 50 {
		try(fmt.Sprint("user", i), other)
		pass("5 minutes")
	}
	pass("1 hour")
	try("bob", other)
	if _, locked := errors.AsType[*auth.LockedError](try("ada", password)); !locked {
		t.Error("nobody waits after 50 failures")
	}
	for range 7 { // nobody else's attempts keep them from being forgotten
		pass("4 hours")
		if err := try("ada", password); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 9 {
		if err := try(fmt.Sprint("other", i), other); !errors.Is(err, auth.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if err := try("ada", password); err != nil {
		t.Error(err)
	}
}
