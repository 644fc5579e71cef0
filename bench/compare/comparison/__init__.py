"""The paired benchmark. Standard library only, so that it runs wherever the product builds."""
