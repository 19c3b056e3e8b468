import { writePictures } from '../tools/product-pictures/generate';

/** `npm run pictures`: draws the pictures of the products. */
writePictures();
