"""What one response tells: header fields in, `core.invocation.Evidence` out."""
