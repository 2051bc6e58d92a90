package safefetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var failure *taskerror.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no task error", err)
	}
	return failure.Code
}

func site(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the file")) })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %q", r.Header["Authorization"], r.Header["Referer"])
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("url"))
		w.WriteHeader(302)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", 302) })
	mux.HandleFunc("/status/503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/status/404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("only this"))
		w.(http.Flusher).Flush()
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.Close()
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("only this"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func opened(t *testing.T, text string, adjust ...func(*Config)) *Client {
	t.Helper()
	allow, err := ParseAllowList(text)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Allow: allow, IdleTimeout: 200 * time.Millisecond, HeadersTimeout: 300 * time.Millisecond}
	for _, one := range adjust {
		one(&config)
	}
	return New(config)
}

func read(t *testing.T, client *Client, url string) (string, error) {
	t.Helper()
	response, err := client.Get(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func TestRefusesPrivateAddressesInEverySpelling(t *testing.T) {
	server := site(t)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	client := opened(t, "")
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "017700000001", "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1",
		"127.0.0.1.", "１２７.０.０.１", "0.0.0.0", "0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00:ec2::254]", "10.0.0.1", "192.168.1.1",
		"172.16.9.9", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "example.org@127.0.0.1", "localhost",
	} {
		_, err := client.Get(t.Context(), "http://"+host+":"+port+"/file")
		if code := codeOf(t, err); code != "ADDRESS_NOT_ALLOWED" {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, url := range []string{"file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "data:text/html,x"} {
		if _, err := client.Get(t.Context(), url); codeOf(t, err) != "ADDRESS_NOT_ALLOWED" {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := client.Get(t.Context(), "http://[::1"); codeOf(t, err) != "PAYLOAD_INVALID" {
		t.Errorf("no URL: %v", err)
	}
}

func TestAsksANameOnceAndConnectsToWhatItChecked(t *testing.T) {
	server := site(t)
	address, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	asked := 0
	client := opened(t, server.Listener.Addr().String(), func(config *Config) {
		config.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			if asked++; asked > 1 {
				return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr(address)}, nil
		}
	})
	if text, err := read(t, client, "http://rebind.example:"+port+"/file"); text != "the file" || err != nil || asked != 1 {
		t.Errorf("got %q, %v after %d questions", text, err, asked)
	}
	if _, err := read(t, client, "http://rebind.example:"+port+"/file"); codeOf(t, err) != "ADDRESS_NOT_ALLOWED" || strings.Contains(err.Error(), "169.254") {
		t.Errorf("the second answer: %v", err)
	}
}

func TestOpensAHostByItsName(t *testing.T) {
	server := site(t)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	client := opened(t, "pages.example", func(config *Config) {
		config.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
	})
	if text, err := read(t, client, "http://pages.example:"+port+"/file"); text != "the file" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := read(t, client, server.URL+"/file"); codeOf(t, err) != "ADDRESS_NOT_ALLOWED" {
		t.Errorf("by address: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	server := site(t)
	client := opened(t, server.Listener.Addr().String())
	response, err := client.Get(t.Context(), server.URL+"/to?url=/file%23top")
	if err != nil || response.URL != server.URL+"/file" {
		t.Fatalf("got %+v, %v", response, err)
	}
	_ = response.Body.Close()
	for _, target := range []string{
		"http://127.0.0.1:1/", "http://2130706433:1/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/", "//10.0.0.1/",
		"file:///etc/passwd", "javascript:alert(1)",
	} {
		if _, err := read(t, client, server.URL+"/to?url="+target); codeOf(t, err) != "ADDRESS_NOT_ALLOWED" {
			t.Errorf("to %s: %v", target, err)
		}
	}
	if _, err := read(t, client, server.URL+"/loop"); codeOf(t, err) != "TOO_MANY_REDIRECTS" {
		t.Errorf("a loop: %v", err)
	}
}

func TestUserInfoIsSentToItsOwnHostAndNeverShown(t *testing.T) {
	server, other := site(t), site(t)
	client := opened(t, "127.0.0.1")
	secret := strings.Replace(server.URL, "http://", "http://ann:p%40ss@", 1)
	if text, err := read(t, client, secret+"/echo"); !strings.Contains(text, "Basic") || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := read(t, client, secret+"/to?url="+strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/echo"); strings.Contains(text, "Basic") || strings.Contains(text, "ann") || err != nil {
		t.Errorf("another host got %q, %v", text, err)
	}
	if _, err := read(t, client, secret+"/never"); codeOf(t, err) != "TIMEOUT" || strings.Contains(err.Error(), "ann") || strings.Contains(err.Error(), "ss@") {
		t.Errorf("the error is %v", err)
	}
}

func TestErrorsOfServers(t *testing.T) {
	server := site(t)
	client := opened(t, "127.0.0.1")
	for path, want := range map[string]struct {
		code  string
		final bool
	}{
		"/status/404": {"HTTP_STATUS", true}, "/status/503": {"HTTP_STATUS", false}, "/cut": {"CONNECT_FAILED", false},
		"/silent": {"TIMEOUT", false}, "/never": {"TIMEOUT", false},
	} {
		_, err := read(t, client, server.URL+path)
		var failure *taskerror.Error
		if !errors.As(err, &failure) || failure.Code != want.code || failure.Final != want.final {
			t.Errorf("%s: %v", path, err)
		}
	}
	server.Close()
	if _, err := read(t, client, server.URL+"/file"); codeOf(t, err) != "CONNECT_FAILED" || !strings.Contains(err.Error(), "ECONNREFUSED") {
		t.Errorf("nobody listens: %v", err)
	}
	notFound := opened(t, "", func(config *Config) {
		config.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	})
	if _, err := read(t, notFound, "http://nowhere.example/"); codeOf(t, err) != "CONNECT_FAILED" || !strings.Contains(err.Error(), "ENOTFOUND") {
		t.Errorf("no such name: %v", err)
	}
}

func TestTheCallersOwnEndGoesThroughAsItIs(t *testing.T) {
	server := site(t)
	reason := errors.New("the attempt is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := opened(t, "127.0.0.1").Get(ctx, server.URL+"/never"); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}

func TestAllowLists(t *testing.T) {
	list, err := ParseAllowList(" 127.0.0.1:4000, 10.1.0.0/16,[::1]:80,fd00::/8, Intranet.example ,")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"127.0.0.1:4000": true, "127.0.0.1:4001": false, "10.1.255.1:1": true, "10.2.0.1:1": false, "[::1]:80": true, "[::1]:81": false,
		"[fd12::1]:5": true, "[::ffff:10.1.0.1]:5": false,
	} {
		one := netip.MustParseAddrPort(address)
		if got := list.allowsAddress(one.Addr(), one.Port()); got != want {
			t.Errorf("%s allowed: %v", address, got)
		}
	}
	if !list.allowsHost("INTRANET.example.", 7) || list.allowsHost("example", 7) {
		t.Error("hosts are not matched by their whole name")
	}
	for _, wrong := range []string{"10.0.0.0/33", "127.0.0.1:0", "127.0.0.1:70000", "1.2.3", "a b", "http://x", "::1/x", "-", "fe80::1%eth0"} {
		if _, err := ParseAllowList(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
