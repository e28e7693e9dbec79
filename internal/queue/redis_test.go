package queue

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestOpenSingle(t *testing.T) {
	t.Parallel()
	type result struct {
		Network, Addr, Username, Password string
		DB                                int
		TLS                               string
	}
	tests := []struct {
		url  string
		want result
	}{
		{"redis://localhost:6379", result{"tcp", "localhost:6379", "", "", 0, ""}},
		{"redis://:pw@10.0.0.1:6380/3", result{"tcp", "10.0.0.1:6380", "", "pw", 3, ""}},
		{"rediss://user:pw@redis.example:6379/1", result{"tcp", "redis.example:6379", "user", "pw", 1, "redis.example"}},
		{"unix:///run/redis.sock?db=2", result{"unix", "/run/redis.sock", "", "", 2, ""}},
		{"redis-socket:///run/redis.sock?db=2", result{"unix", "/run/redis.sock", "", "", 2, ""}},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			t.Parallel()
			opened, err := Open(test.url)
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			opt := opened.(*redis.Client).Options()
			got := result{opt.Network, opt.Addr, opt.Username, opt.Password, opt.DB, ""}
			if opt.TLSConfig != nil {
				got.TLS = opt.TLSConfig.ServerName
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("options: (-want +got)\n%s", diff)
			}
			if !opt.ContextTimeoutEnabled || opt.ReadTimeout != ioTimeout {
				t.Errorf("context timeouts %v, read timeout %v", opt.ContextTimeoutEnabled, opt.ReadTimeout)
			}
		})
	}
}

func TestOpenKeepsTheAddressesOwnOptions(t *testing.T) {
	t.Parallel()
	opened, err := Open("redis://localhost:6379?read_timeout=7s&max_retries=5")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if opt := opened.(*redis.Client).Options(); opt.ReadTimeout != 7*time.Second || opt.MaxRetries != 5 {
		t.Errorf("read timeout %v, retries %d", opt.ReadTimeout, opt.MaxRetries)
	}
}

func TestOpenMany(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"redis-sentinel://:pw@s1:26379,s2:26379,s3:26379?master=pukar&db=1&password=other",
		"redis-cluster://user:pw@c1:7000,c2:7000",
	} {
		opened, err := Open(url)
		if err != nil {
			t.Errorf("Open(%q): %v", url, err)
			continue
		}
		if cluster, ok := opened.(*redis.ClusterClient); ok {
			if diff := cmp.Diff([]string{"c1:7000", "c2:7000"}, cluster.Options().Addrs); diff != "" {
				t.Errorf("cluster's nodes: (-want +got)\n%s", diff)
			}
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "localhost:6379", "http://localhost", "redis://:secret@localhost:port", "redis://:secret@localhost/notadb", "redis://:sec%zzret@x",
		"redis-sentinel://:secret@s1:1", "redis-sentinel://:secret@s1:1,?master=m", "redis-sentinel://:secret@s1:1?master=m&db=x", "redis-cluster://",
	} {
		opened, err := Open(url)
		if !errors.Is(err, ErrInvalidURL) {
			t.Errorf("Open(%q) = %v, %v, want ErrInvalidURL", url, opened, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) tells the password: %v", url, err)
		}
	}
}
