package img_compress

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
)

const someRef = "2126-12-03/00000000-0000-4000-8000-000000000001/0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70"

func TestSchema(t *testing.T) {
	tasktest.HoldSchema(t, Task, []string{
		`{"url":"https://example.org/a.png"}`, `{"blob":"` + someRef + `"}`,
		`{"blob":"` + someRef + `","format":"webp","quality":1,"width":16383,"height":1}`, `{"url":"http://a","quality":100}`,
	}, []string{
		`{}`, `{"url":"http://a","blob":"` + someRef + `"}`, `{"url":"ftp://a"}`, `{"blob":"somewhere"}`, `{"blob":"../` + someRef + `"}`,
		`{"url":"http://a","format":"gif"}`, `{"url":"http://a","quality":0}`, `{"url":"http://a","quality":101}`, `{"url":"http://a","quality":1.5}`,
		`{"url":"http://a","width":0}`, `{"url":"http://a","height":-1}`, `{"url":"http://a","width":16384}`, `{"url":"http://a","more":1}`, `[]`,
	})
}

func TestPreview(t *testing.T) {
	result := Result{From: Description{"jpeg", 4000, 3000, 3_120_000}, To: Description{"webp", 1280, 960, 210_499}, Ratio: 0.0675, SSIM: 0.98123}
	if got := Task.Preview(result); got != "jpeg 4000×3000 3.1 MB → webp 1280×960 210 kB (6.8 %), ssim 0.981" {
		t.Errorf("got %q", got)
	}
}

// serve gives the URL of a server that has one answer for each path.
func serve(t *testing.T, files map[string][]byte) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(file)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestFilesThatAreRefused(t *testing.T) {
	large := append([]byte("\xff\xd8\xff"), make([]byte, maxInputBytes)...)
	whole := encoded(t, "png", scene(64, 64))
	url := serve(t, map[string][]byte{
		"/page": []byte("<html>"), "/bomb": bomb(), "/half": whole[:len(whole)/2], "/empty": {}, "/large": large,
	})
	for path, code := range map[string]string{
		"/page": "UNSUPPORTED_MEDIA", "/bomb": "IMAGE_TOO_LARGE", "/half": "IMAGE_INVALID", "/empty": "UNSUPPORTED_MEDIA",
		"/large": "BODY_TOO_LARGE", "/gone": "HTTP_STATUS",
	} {
		_, err := tasktest.Run(t, t.Context(), Task, map[string]any{"url": url + path}, tasktest.Options{AllowHosts: "127.0.0.1"})
		if codeOf(err) != code {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, err := tasktest.Run(t, t.Context(), Task, map[string]any{"url": url + "/page"}, tasktest.Options{})
	if codeOf(err) != "ADDRESS_NOT_ALLOWED" {
		t.Errorf("an address of this machine: %v", err)
	}
}

func TestWithoutAStore(t *testing.T) {
	url := serve(t, map[string][]byte{"/a.png": encoded(t, "png", scene(64, 64))})
	_, err := tasktest.Run(t, t.Context(), Task, map[string]any{"url": url + "/a.png"}, tasktest.Options{AllowHosts: "127.0.0.1"})
	if err == nil || !strings.Contains(err.Error(), "STORE_UNAVAILABLE") {
		t.Errorf("got %v", err)
	}
}
