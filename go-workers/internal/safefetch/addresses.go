package safefetch

import (
	"net/netip"
	"strconv"
	"strings"
)

// notPublic4 is IPv4 space that is not the public internet: RFC 6890 and its successors, and what clouds put at public-looking
// addresses. The list is that of workers/src/fetch/publicAddress.ts.
var notPublic4 = prefixes(
	"0.0.0.0/8", // "this network": 0.0.0.0 reaches the machine itself
	"10.0.0.0/8",
	"100.64.0.0/10", // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
	"127.0.0.0/8",
	"168.63.129.16/32", // Azure's host agent
	"169.254.0.0/16",   // link-local, with the metadata services of most clouds
	"172.16.0.0/12",
	"192.0.0.0/24", // protocol assignments; 192.0.0.192 is Oracle's metadata service
	"192.0.2.0/24",
	"192.31.196.0/24",
	"192.52.193.0/24",
	"192.88.99.0/24", // 6to4 relays
	"192.168.0.0/16",
	"192.175.48.0/24",
	"198.18.0.0/15", // benchmarking
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4", // multicast
	"240.0.0.0/4", // reserved, broadcast
)

// Within 2000::/3, the only IPv6 space in public use, what is not public after all. Everything outside it is refused whole:
// loopback, mapped and compatible IPv4, NAT64, unique local, link-local, multicast.
var (
	globalUnicast6 = netip.MustParsePrefix("2000::/3")
	notPublic6     = prefixes(
		"2001::/23",     // protocol assignments, Teredo, ORCHID
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4
		"2620:4f:8000::/48",
		"3fff::/20", // documentation
	)
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// isPublic says whether an address is part of the public internet. An IPv6 address that carries an IPv4 one (mapped, NAT64,
// 6to4) is never public: where such a network is real, the operator opens it.
func isPublic(address netip.Addr) bool {
	if address.Zone() != "" { // only goes with link-local addresses
		return false
	}
	if address.Is4() {
		return !contains(notPublic4, address)
	}
	return globalUnicast6.Contains(address) && !contains(notPublic6, address)
}

func contains(all []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range all {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// parseAddress reads a literal address in every spelling that some resolver takes: also 127.1, 2130706433, 0177.0.0.1, 0x7f.1.
func parseAddress(host string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(host); err == nil {
		return address, true
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var address uint64
	for i, part := range parts {
		number, err := strconv.ParseUint(part, 0, 32)
		if part == "" || strings.Contains(part, "_") || strings.HasPrefix(part, "0b") || strings.HasPrefix(part, "0o") || err != nil {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			if number > 255 {
				return netip.Addr{}, false
			}
			address = address<<8 | number
			continue
		}
		bits := 8 * (4 - i)
		if number>>bits != 0 {
			return netip.Addr{}, false
		}
		address = address<<bits | number
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}), true
}
