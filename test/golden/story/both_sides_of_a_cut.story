While a cut lasts, W=1 is accepted on both sides; nothing is lost, and nobody has decided for the
clients what the two versions mean.

> cluster 3
> put n1 k before as=here
ok
> wait 1000
> get n3 k as=there
before
> isolate n3
> wait 2000
> put n1 k majority saw=here
ok
> put n3 k minority saw=there w=1
ok
> get n1 k
majority
> get n3 k r=1
minority

With W=2 the lonely side refuses before it stores anything: not_applied is a promise.

> put n3 k never
not_applied: too_few_nodes

> heal
> wait 3000
> get n1 k r=3 as=all
majority, minority
> put n2 k decided saw=all
ok
> get n3 k
decided
