"""What the person who runs the house needs: doctor."""
