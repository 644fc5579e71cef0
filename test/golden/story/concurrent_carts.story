Two people share a cart. Neither sees what the other puts into it, so both versions are kept; whoever
reads both and writes with their context replaces both (paper 4.4).

> cluster 3
> put n1 cart bread as=start
ok
> get n2 cart as=ann
bread
> get n3 cart as=bob
bread

> put n2 cart bread+milk saw=ann
ok
> put n3 cart bread+beer saw=bob
ok
> get n1 cart as=both
bread+beer, bread+milk

> put n1 cart bread+beer+milk saw=both
ok
> get n2 cart
bread+beer+milk
> get n3 cart
bread+beer+milk
