"""What people look at, on screen and on paper: releases only, behind a sign-in."""
