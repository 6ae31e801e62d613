"""Networks that say what a picture shows. Each module imports torch only when its network is loaded."""
