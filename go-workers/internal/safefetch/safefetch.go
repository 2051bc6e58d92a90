// Package safefetch fetches URLs that strangers chose. It connects only to addresses that are public or opened by the operator:
// a name is resolved once, its addresses are checked, and one of these is connected to. It keeps nothing between two fetches.
package safefetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

const (
	connectTimeout = 10 * time.Second // name resolution, TCP and TLS, for each connection
	headersTimeout = 15 * time.Second
	idleTimeout    = 20 * time.Second // between two pieces of the body
	maxRedirects   = 10
	maxHeaderBytes = 32 << 10
	userAgent      = "TaskFlowHub/0.1 (+https://github.com/taskflow-hub/taskflow-hub)"
)

// A Config says what may be fetched.
type Config struct {
	Allow AllowList
	// Resolve gives all addresses of a name; the system's resolver unless set.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// IdleTimeout between two pieces of the body; 20 s unless set.
	IdleTimeout time.Duration
	// HeadersTimeout from the request to the head of the response; 15 s unless set.
	HeadersTimeout time.Duration
}

// A Client is what all tasks of a process fetch with.
type Client struct {
	config Config
	http   http.Client
}

// New gives a client.
func New(config Config) *Client {
	if config.Resolve == nil {
		config.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if config.IdleTimeout == 0 {
		config.IdleTimeout = idleTimeout
	}
	if config.HeadersTimeout == 0 {
		config.HeadersTimeout = headersTimeout
	}
	c := &Client{config: config}
	c.http = http.Client{
		Transport: &http.Transport{
			DialContext:            c.dial,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  config.HeadersTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableKeepAlives:      true,
			DisableCompression:     true, // the file as it is served
		},
		CheckRedirect: checkRedirect,
	}
	return c
}

// A Response is read by its caller, who closes it.
type Response struct {
	// URL is where the answer came from, after redirects, without user info and fragment.
	URL         string
	ContentType string
	// Size of the body where the server says it; -1 otherwise.
	Size int64
	// Body ends with the fetch's context, or with an error where the server falls silent or cuts the body off. Its errors are
	// [*taskerror.Error].
	Body io.ReadCloser
}

// Get fetches a URL, redirects followed, and gives the response of a status below 300. Errors are [*taskerror.Error], or ctx's own.
func (c *Client) Get(ctx context.Context, text string) (*Response, error) {
	target, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, invalidURL(err)
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := c.http.Do(request)
	if err != nil {
		err = c.failure(ctx, target, err)
		cancel(nil)
		return nil, err
	}
	if answer.StatusCode >= 300 {
		_ = answer.Body.Close()
		cancel(nil)
		return nil, statusError(answer.StatusCode)
	}
	final := *answer.Request.URL
	final.User, final.Fragment = nil, ""
	return &Response{
		URL: final.String(), ContentType: answer.Header.Get("Content-Type"), Size: answer.ContentLength,
		Body: newBody(ctx, cancel, c, answer.Body, &final),
	}, nil
}

func parseURL(text string) (*url.URL, error) {
	target, err := url.Parse(text)
	if err != nil || target.Host == "" && (target.Scheme == "http" || target.Scheme == "https") {
		return nil, invalidURL(err)
	}
	if target.Scheme != "http" && target.Scheme != "https" {
		return nil, notAllowed("Only http and https URLs are fetched")
	}
	target.Fragment = ""
	return target, nil
}

func invalidURL(err error) error {
	return &taskerror.Error{Code: "PAYLOAD_INVALID", Message: "The URL cannot be parsed", Final: true, Err: withoutURL(err)}
}

func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return &taskerror.Error{
			Code: "TOO_MANY_REDIRECTS", Message: fmt.Sprintf("More than %d redirects", maxRedirects), Final: true,
			Details: map[string]any{"maxRedirects": maxRedirects},
		}
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return notAllowed("A redirect leads to a URL that is neither http nor https")
	}
	request.URL.User = nil
	request.Header.Del("Referer")
	return nil
}

// dial connects to an address that is allowed, of those that the name has now.
func (c *Client) dial(ctx context.Context, network, target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	host, portText, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	port := uint16(number)
	addresses, err := c.addressesOf(ctx, host)
	if err != nil {
		return nil, err
	}
	if !c.config.Allow.allowsHost(host, port) {
		var open []netip.Addr
		for _, address := range addresses {
			if isPublic(address) || c.config.Allow.allowsAddress(address, port) {
				open = append(open, address)
			}
		}
		if addresses = open; len(addresses) == 0 {
			// Says nothing of what the name resolved to: that would let a stranger read the inside of our network's DNS.
			return nil, notAllowed("The host is, or resolves to, an address that tasks may not reach")
		}
	}
	var dialer net.Dialer
	var failures []error
	for _, address := range addresses {
		conn, err := dialer.DialContext(ctx, network, netip.AddrPortFrom(address, port).String())
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func (c *Client) addressesOf(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, ok := parseAddress(host); ok {
		return []netip.Addr{address}, nil
	}
	addresses, err := c.config.Resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, address := range addresses {
		addresses[i] = address.Unmap() // the resolver's way to write IPv4; a literal mapped address is not unmapped
	}
	return addresses, nil
}

func notAllowed(message string) error {
	return &taskerror.Error{Code: "ADDRESS_NOT_ALLOWED", Message: message, Final: true}
}

func statusError(status int) error {
	passing := status == 408 || status == 425 || status == 429 || status >= 500
	return &taskerror.Error{
		Code: "HTTP_STATUS", Message: fmt.Sprintf("The server answered %d", status), Final: !passing,
		Details: map[string]any{"status": status},
	}
}

// failure makes any failure of an exchange the error that its task fails with. The origin is all that it says of the URL.
func (c *Client) failure(ctx context.Context, target *url.URL, err error) error {
	var known *taskerror.Error
	if errors.As(err, &known) {
		return known
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.As(cause, &known) {
			return known
		}
		return cause // the caller's own end goes through as it is
	}
	origin := target.Scheme + "://" + target.Host
	var timeout net.Error
	var name *net.DNSError
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.As(err, &name) {
		return &taskerror.Error{Code: "TIMEOUT", Message: origin + " did not answer in time", Err: withoutURL(err)}
	}
	cause := causeOf(err)
	return &taskerror.Error{
		Code: "CONNECT_FAILED", Message: fmt.Sprintf("The exchange with %s failed: %s", origin, cause),
		Details: map[string]any{"cause": cause}, Err: withoutURL(err),
	}
}

// causeOf names a cause as the TypeScript workers do.
func causeOf(err error) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "ENOTFOUND"
	case errors.As(err, &name):
		return "EAI_AGAIN"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "ECONNREFUSED"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "ECONNRESET"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "EHOSTUNREACH"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "CUT_OFF"
	}
	return "PROTOCOL"
}

// withoutURL takes off the wrapper that shows the whole URL, which may hold credentials.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
