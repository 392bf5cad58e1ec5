// A client-go informer on ResourceClaims, the way Go controllers use it. It prints each request that it makes and each
// event that it handles, one a line, until its standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

var output sync.Mutex

func say(format string, args ...any) {
	output.Lock()
	defer output.Unlock()
	fmt.Printf(format+"\n", args...)
}

type telling struct{ next http.RoundTripper }

func (t telling) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err == nil {
		say("request %d %s", response.StatusCode, request.URL.RequestURI())
	}
	return response, err
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return telling{next} })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(config), 0, informers.WithNamespace("default"))
	claims := factory.Resource().V1().ResourceClaims().Informer()
	name := func(object any) string { return object.(*resourcev1.ResourceClaim).Name }
	_, err = claims.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { say("add %s", name(object)) },
		UpdateFunc: func(_, object any) {
			say("update %s %s", name(object), object.(*resourcev1.ResourceClaim).Labels["seen"])
		},
		DeleteFunc: func(object any) {
			if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			say("delete %s", name(object))
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	say("synced")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
