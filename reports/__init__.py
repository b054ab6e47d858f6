"""Pictures and tables out of stored records."""
