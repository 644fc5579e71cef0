One dead owner of three refuses nothing; two do, unless less is asked for (paper 4.5). Where nobody can
stand in, fewer nodes than W are refused before anything is stored: not_applied is a promise.

> cluster 3
> put n1 k 1 as=seen
ok
> wait 1000
> crash n3
> wait 2000
> put n1 k 2 saw=seen as=seen
ok
> get n2 k
2

> crash n2
> wait 2000
> put n1 k 3 saw=seen
not_applied: too_few_nodes
> get n1 k
failed: too_few_nodes
> get n1 k r=1
2
> put n1 other 1 w=1
ok
