package safefetch

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// An AllowList is what an operator opened to tasks beside the public internet.
type AllowList []allowed

type allowed struct {
	host    string // in lower case; empty: a range
	network netip.Prefix
	port    uint16 // 0: any
}

var (
	withPort     = regexp.MustCompile(`^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$`)
	bracketed    = regexp.MustCompile(`^\[([^\]]+)\]$`)
	hostName     = regexp.MustCompile(`^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$`)
	onlyNumerals = regexp.MustCompile(`^[\d.]+$`)
)

// ParseAllowList reads TASKFLOW_FETCH_ALLOW: host names, addresses and CIDR ranges, each with a port if only that one is meant,
// separated by commas: 127.0.0.1:4000, 10.1.0.0/16, intranet.example.
func ParseAllowList(text string) (AllowList, error) {
	var all AllowList
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part == "" {
			continue
		}
		one, ok := parseAllowed(part)
		if !ok {
			return nil, fmt.Errorf("%q is neither a host name, nor an address, nor a CIDR range (port optional)", part)
		}
		all = append(all, one)
	}
	return all, nil
}

func parseAllowed(text string) (one allowed, ok bool) {
	host := text
	if match := withPort.FindStringSubmatch(text); match != nil {
		port, err := strconv.ParseUint(match[3], 10, 16)
		if err != nil || port == 0 {
			return one, false
		}
		one.port, host = uint16(port), match[1]+match[2]
	} else if match := bracketed.FindStringSubmatch(text); match != nil {
		host = match[1]
	}
	if address, err := netip.ParseAddr(host); err == nil {
		one.network = netip.PrefixFrom(address, address.BitLen())
		return one, address.Zone() == ""
	}
	if network, err := netip.ParsePrefix(host); err == nil {
		one.network = network.Masked()
		return one, true
	}
	one.host = host
	return one, len(host) <= 253 && hostName.MatchString(host) && !onlyNumerals.MatchString(host)
}

// allowsHost: any address may be connected to because this host name was asked for.
func (list AllowList) allowsHost(host string, port uint16) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, one := range list {
		if one.host != "" && one.host == host && one.fits(port) {
			return true
		}
	}
	return false
}

// allowsAddress: this address may be connected to, whatever name led there.
func (list AllowList) allowsAddress(address netip.Addr, port uint16) bool {
	for _, one := range list {
		if one.host == "" && one.fits(port) && one.network.Contains(address) {
			return true
		}
	}
	return false
}

func (one allowed) fits(port uint16) bool { return one.port == 0 || one.port == port }
