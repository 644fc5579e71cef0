A client that goes on writing with the context of its last put replaces its own versions and nothing
else, through whatever node.

> cluster 5
> put n1 k 1 as=mine
ok
> put n2 k 2 saw=mine as=mine
ok
> put n3 k other
ok
> put n4 k 3 saw=mine as=mine
ok
> get n5 k
3, other
