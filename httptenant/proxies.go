package httptenant

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// Proxies are the reverse proxies whose word is taken for the host name. A nil
// *Proxies has none.
type Proxies struct{ prefixes []netip.Prefix }

// TrustProxies returns Proxies for addresses and networks such as "127.0.0.1" or
// "10.0.0.0/8". A request that comes from one of them is for the host in its
// X-Forwarded-Host; any other client could write there what it likes, so its
// header is ignored. Of several hosts in the header the last one counts, which
// the nearest proxy wrote.
func TrustProxies(addresses ...string) (*Proxies, error) {
	p := &Proxies{}
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a)
		if err != nil {
			addr, addrErr := netip.ParseAddr(a)
			if addrErr != nil {
				return nil, fmt.Errorf("proxy %q: not an address or a network (write 10.0.0.1 or 10.0.0.0/8)", a)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 { // peers are compared as IPv4
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		p.prefixes = append(p.prefixes, prefix.Masked())
	}
	return p, nil
}

// trusts reports whether the request's peer is one of the proxies.
func (p *Proxies) trusts(r *http.Request) bool {
	if p == nil {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	for _, prefix := range p.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// domain is the host name that the request is for. A host that is no domain
// leads to nobody.
func (p *Proxies) domain(r *http.Request) (tenant.Domain, error) {
	host := r.Host
	if p.trusts(r) {
		if forwarded := r.Header.Values("X-Forwarded-Host"); len(forwarded) > 0 {
			last := forwarded[len(forwarded)-1]
			host = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
		}
	}
	domain, err := tenant.ParseDomain(withoutWWW(withoutPort(host)))
	if err != nil {
		return tenant.Domain{}, fmt.Errorf("%w: %w", tenant.ErrTenantNotFound, err)
	}
	return domain, nil
}

func withoutPort(host string) string {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.Trim(host[i+1:], "0123456789") != "" {
		return host
	}
	return host[:i]
}

func withoutWWW(host string) string {
	if len(host) > 4 && strings.EqualFold(host[:4], "www.") {
		return host[4:]
	}
	return host
}
